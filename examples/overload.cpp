// Overload: a bound for a mailbox, a mark that warns before, an ear for what is dropped.
#include <airssys/rt.hpp>
#include <cstdio>
#include <stdexcept>
#include <string>

namespace rt = airssys::rt;
using namespace std::chrono_literals;

struct Job {
  int number;
};
struct Go {};

// A worker that begins when something comes through its gate, which no bound counts.
struct Worker {
  rt::Pid pid;
  rt::Alias gate;

  explicit Worker(rt::MailboxOptions mailbox) {
    pid = rt::spawn({.name = "worker", .mailbox = mailbox}, [me = rt::self()] {
      rt::send(me, rt::alias());
      rt::receive<Go>();
      while (auto job = rt::receive<Job>(0s)) std::printf("done %d\n", job->number);
    });
    gate = rt::receive<rt::Alias>();
  }

  void run() const {
    rt::MonitorRef end = rt::monitor(pid);
    rt::send(gate, Go());
    rt::receive(rt::when([&](const rt::Down& down) { return down.ref == end; }, [](rt::Down) {}));
  }
};

// Who is told that there is no room can do something about it.
void refuse() {
  Worker worker({.capacity = 2, .overflow = rt::Overflow::reject});
  for (int number = 1; number <= 3; ++number) {
    if (rt::try_send(worker.pid, Job{number}) == rt::SendResult::full)
      std::printf("no room for %d\n", number);
  }
  worker.run();
}

// Only the newest matters, as with measurements. What is dropped comes to who listens.
void drop_the_oldest() {
  rt::subscribe_dead_letters();
  Worker worker({.capacity = 2, .overflow = rt::Overflow::drop_oldest});
  for (int number = 1; number <= 3; ++number) rt::send(worker.pid, Job{number});
  worker.run();
  rt::DeadLetter letter = rt::receive<rt::DeadLetter>();
  std::printf("dropped %d: %s\n", letter.message.take<Job>().number, to_string(letter.reason));
  rt::unsubscribe_dead_letters();
}

// The log gets one line when the mark is reached, while there is still room.
void warn() {
  Worker worker({.capacity = 100, .soft_mark = 2});
  for (int number = 1; number <= 3; ++number) rt::send(worker.pid, Job{number});
  worker.run();
}

// What is broken is left alone for a while, and so are its callers' time and mailboxes.
void break_the_circuit() {
  rt::CircuitBreaker database({.name = "database", .failures = 2});
  for (int i = 0; i < 4; ++i) {
    try {
      database.call([] { throw std::runtime_error("no answer"); });
    } catch (const rt::CircuitOpen&) {
      std::puts("not even asked");
    } catch (const std::runtime_error& error) {
      std::puts(error.what());
    }
  }
}

int main() {
  rt::Options options;
  options.log = [](const rt::Report& report) {
    if (report.kind() == "overload") std::puts("the log: worker is overloaded");
  };
  return rt::run(options, [] {
    refuse();
    drop_the_oldest();
    warn();
    break_the_circuit();
  });
}
