// A state machine that is a connection: requests wait while it connects, a lost connection is made
// again after growing pauses, and a request that goes unanswered fails by itself.
#include <airssys/rt.hpp>
#include <cstdio>
#include <map>
#include <string>
#include <utility>

namespace rt = airssys::rt;
using namespace std::chrono_literals;

// The far end: refuses the first two times, then answers; "hang up" ends it, "hm" it leaves be.
struct Frame {
  rt::Pid from;
  int number;
  std::string text;
};

void peer() {
  for (;;) {
    auto frame = rt::receive<Frame>();
    if (frame.text == "hang up") return;
    if (frame.text != "hm") rt::send(frame.from, Frame{rt::self(), frame.number, frame.text + "!"});
  }
}

rt::Pid dial(int attempt) {
  if (attempt < 3) return {};
  return rt::spawn(peer);
}

class Connection : public rt::StateMachine<Connection> {
 public:
  enum class State { connecting, pausing, connected };
  using enum State;

  struct Ask {
    using Reply = std::expected<std::string, std::string>;
    std::string text;
    rt::Duration patience = 10s;
  };
  struct Dial {};
  struct Unanswered {
    int number;
  };

  void init() { next_event(Dial{}); }

  void handle(In<connecting>, Dial) {
    peer_ = dial(++attempt_);
    if (!peer_) return next_state(pausing);
    monitor_ = rt::monitor(peer_);
    next_state(connected);
  }

  void enter(In<pausing>) { state_timeout(attempt_ * 5ms, Dial{}); }
  void handle(In<pausing>, Dial) {
    next_event(Dial{});
    next_state(connecting);
  }

  void handle(In<connected>, const Ask& ask, rt::From<Ask::Reply> caller) {
    const int number = ++asked_;
    waiting_.emplace(number, std::move(caller));
    rt::send(peer_, Frame{rt::self(), number, ask.text});
    named_timeout(std::to_string(number), ask.patience, Unanswered{number});
  }
  void handle_info(In<connected>, rt::Message& message) {
    if (auto* frame = message.get_if<Frame>()) {
      answer(frame->number, frame->text + " at attempt " + std::to_string(attempt_));
    }
    if (auto* down = message.get_if<rt::Down>(); down && down->ref == monitor_) {
      while (!waiting_.empty()) answer(waiting_.begin()->first, std::unexpected("connection lost"));
      attempt_ = 0;
      next_event(Dial{});
      next_state(connecting);
    }
  }

  // Whatever is asked while there is no connection is kept until there is one.
  void handle(State, const Ask&) { postpone(); }
  void handle(State, Unanswered late) { answer(late.number, std::unexpected("no answer")); }

 private:
  void answer(int number, Ask::Reply reply) {
    auto waiting = waiting_.extract(number);
    if (!waiting) return;
    waiting.mapped().reply(std::move(reply));
    cancel_named_timeout(std::to_string(number));
  }

  rt::Pid peer_;
  rt::MonitorRef monitor_;
  int attempt_ = 0;
  int asked_ = 0;
  std::map<int, rt::From<Ask::Reply>> waiting_;
};

int main() {
  return rt::run([] {
    auto connection = rt::start_link<Connection>();
    auto ask = [&](Connection::Ask request) {
      auto reply = rt::call(connection, request);
      std::printf("%s: %s\n", request.text.c_str(), (reply ? *reply : reply.error()).c_str());
    };
    ask({"hello"});
    ask({"hm", 20ms});
    ask({"hang up"});
    ask({"hello again"});
    rt::stop(connection);
  });
}
