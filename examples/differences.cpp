// Where C++ differs: stacks that are unwound, threads that change, requests that are types.
#include <airssys/rt.hpp>
#include <cstdio>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rt = airssys::rt;
using namespace std::chrono_literals;

struct Opened {};
struct Closed {};

// Closes itself wherever its process ends. A wait is over at once there; sends work.
struct File {
  explicit File(rt::Pid reader) : owner(reader) { rt::send(owner, Opened{}); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    rt::sleep(1h);
    rt::send(owner, Closed{});
  }
  rt::Pid owner;
};

void an_exit_unwinds_the_stack() {
  rt::Pid reader = rt::spawn([owner = rt::self()] {
    File file(owner);
    rt::sleep(1h);
  });
  rt::receive<Opened>();
  rt::send_exit(reader, rt::ExitReason::kill());
  rt::receive<Closed>();
  std::puts("killed, and the file is closed");
}

// What a thread_local would hold belongs to the process: it goes on on any thread.
constexpr rt::Local<std::string> request("request");

// Shared as among threads: the lock is held for a moment, and across no call of the runtime.
class Journal {
 public:
  void add(std::string line) {
    std::scoped_lock lock(mutex_);
    lines_.push_back(std::move(line));
  }
  std::vector<std::string> take() {
    std::scoped_lock lock(mutex_);
    return std::exchange(lines_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

void a_wait_may_change_the_thread() {
  Journal journal;
  request.put("GET /");
  rt::sleep(1ms);
  journal.add(*request.get());
  for (const std::string& line : journal.take()) {
    rt::yield();
    std::printf("still %s\n", line.c_str());
  }
}

struct Clock : rt::Server<Clock> {
  struct Time {
    using Reply = int;
  };
  int handle(Time) { return 12; }
};
struct Shop : rt::Server<Shop> {
  struct IsOpen {
    using Reply = bool;
  };
  struct Ask {
    using Reply = std::string;
    rt::ServerRef<Shop> whom;
  };
  bool handle(IsOpen) { return true; }
  std::string handle(Ask ask) {
    auto answer = rt::try_call(ask.whom, Ask{rt::server_ref<Shop>(rt::self())}, rt::infinite);
    if (answer) return *answer;
    return answer.error().kind() == rt::CallError::circle ? "in a circle" : "?";
  }
};

void what_cannot_be_answered_fails_at_once() {
  auto clock = rt::start_link<Clock>();
  auto one = rt::start_link<Shop>();
  auto other = rt::start_link<Shop>();
  // rt::call(clock, Shop::IsOpen{}) does not compile. A pid alone can be mistaken:
  auto taken_for_a_shop = rt::server_ref<Shop>(clock.pid());
  auto answer = rt::try_call(taken_for_a_shop, Shop::IsOpen{}, rt::infinite);
  if (!answer && answer.error().kind() == rt::CallError::wrong_type) std::puts("not a shop");
  // One asks the other, which asks the one.
  std::printf("%s\n", rt::call(one, Shop::Ask{other}, rt::infinite).c_str());
}

int main() {
  rt::Options options;
  options.log = [](std::string_view) {};  // the clock reports what it has refused
  return rt::run(options, [] {
    an_exit_unwinds_the_stack();
    a_wait_may_change_the_thread();
    what_cannot_be_answered_fails_at_once();
  });
}
