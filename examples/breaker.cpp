// A circuit breaker: a supplier breaks down, is left alone for a while, and comes back.
#include <airssys/rt.hpp>
#include <cstdio>
#include <stdexcept>
#include <string>

namespace rt = airssys::rt;
using namespace std::chrono_literals;

// Something outside: it answers, or it does not.
class Supplier {
 public:
  std::string price() {
    ++asked;
    if (is_broken) throw std::runtime_error("connection refused");
    return "42";
  }

  bool is_broken = false;
  int asked = 0;
};

int main() {
  rt::Options options;
  options.log = [](std::string_view) {};  // where each change of a breaker is reported
  return rt::run(options, [] {
    Supplier supplier;
    rt::CircuitBreaker breaker({.name = "supplier", .failures = 3, .open = {.first = 5ms}});
    breaker.subscribe();  // tells this process of each change, too

    // Refused or failed: the last known price stands in.
    std::string last = breaker.call([&] { return supplier.price(); });
    auto price = [&] {
      return breaker.call([&] { return supplier.price(); }, [&] { return last + ", as of then"; });
    };
    std::printf("price %s\n", price().c_str());

    supplier.is_broken = true;
    while (breaker.info().state == rt::CircuitState::closed) price();
    std::printf("asked %d times, then left alone\n", supplier.asked);
    std::printf("price %s\n", price().c_str());

    // When the time is up, one call is let through to see how it goes.
    supplier.is_broken = false;
    while (breaker.info().state != rt::CircuitState::closed) {
      if (!breaker.try_call([&] { return supplier.price(); })) rt::sleep(1ms);
    }
    std::printf("price %s\n", price().c_str());

    auto change = rt::receive<rt::CircuitChange>();
    std::printf("it was %s, then %s\n", rt::to_string(change.from), rt::to_string(change.to));
    std::printf("because of %s\n", std::string(change.reason.what()).c_str());
  });
}
