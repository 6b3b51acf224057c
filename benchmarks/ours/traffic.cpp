// traffic.cpp: a constant number of parcels among processes, each passed on to a random other one.
//
// Each process begins with five. For ten intervals it is counted how many are delivered; then all
// processes are told to keep what comes, and together they must have as many as in the beginning.
#include <airssys/rt.hpp>
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench.hpp"
#include "workloads.hpp"

namespace rt = airssys::rt;
using namespace std::chrono_literals;

namespace bench {

namespace {

constexpr std::size_t parcels_each = 5;
constexpr std::size_t intervals = 10;

struct Parcel {};
struct Stop {
  rt::Pid from;
};
struct Stopped {};
struct Question {
  rt::Pid from;
};
struct Kept {
  std::size_t parcels;
};

// What a process has delivered: its own cache line, written by it alone, read by who measures.
struct alignas(64) Deliveries {
  std::atomic<std::int64_t> count = 0;
};

struct Town {
  explicit Town(std::size_t size) : people(size), deliveries(size) {}
  std::vector<rt::Pid> people;  // complete before the first parcel
  std::vector<Deliveries> deliveries;
};

class Person : public rt::Behaviour {
 public:
  Person(Town& town, std::size_t number) : town_(town), number_(number), seed_(number) {}

  void message(rt::Message& message) override {
    if (message.is<Parcel>()) {
      is_stopped_ ? keep() : pass_on();
    } else if (const Stop* stop = message.get_if<Stop>()) {
      is_stopped_ = true;
      rt::send(stop->from, Stopped{});
    } else {
      rt::send(message.take<Question>().from, Kept{kept_});
    }
  }

 private:
  void keep() { ++kept_; }
  void pass_on() {
    std::atomic<std::int64_t>& count = town_.deliveries[number_].count;
    // relaxed: a statistic that only we write; nobody decides by it.
    count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    rt::send(town_.people[somebody_else()], Parcel{});
  }
  std::size_t somebody_else() {
    seed_ = (seed_ * 1664525 + 1013904223) & 0x7fffffff;
    const std::size_t other = (seed_ >> 8) % (town_.people.size() - 1);
    return other < number_ ? other : other + 1;
  }

  Town& town_;
  std::size_t number_;
  std::uint64_t seed_;
  bool is_stopped_ = false;
  std::size_t kept_ = 0;
};

std::int64_t delivered(const Town& town) {
  std::int64_t sum = 0;
  for (const Deliveries& deliveries : town.deliveries)
    sum += deliveries.count.load(std::memory_order_relaxed);  // relaxed: a statistic
  return sum;
}

// Parcels a second, in each interval.
std::array<double, intervals> watch(const Town& town, rt::Duration interval) {
  std::array<double, intervals> rates;
  for (double& rate : rates) {
    const std::int64_t before = delivered(town);
    const Stopwatch watch;
    rt::sleep(interval);
    rate = static_cast<double>(delivered(town) - before) / watch.seconds();
  }
  return rates;
}

void stop(const Town& town) {
  for (const rt::Pid person : town.people) rt::send(person, Stop{rt::self()});
  for (std::size_t i = 0; i < town.people.size(); ++i) rt::receive<Stopped>();
}

std::size_t count_kept(const Town& town) {
  for (const rt::Pid person : town.people) rt::send(person, Question{rt::self()});
  std::size_t kept = 0;
  for (std::size_t i = 0; i < town.people.size(); ++i) kept += rt::receive<Kept>().parcels;
  return kept;
}

void measure(std::size_t size, rt::Duration interval) {
  rt::set_priority(rt::Priority::high);  // who measures does not wait for a million others
  Town town(size);
  for (std::size_t i = 0; i < size; ++i)
    town.people[i] = rt::spawn_behaviour(std::make_unique<Person>(town, i));
  for (std::size_t i = 0; i < parcels_each; ++i)
    for (const rt::Pid person : town.people) rt::send(person, Parcel{});
  std::array<double, intervals> rates = watch(town, interval);

  stop(town);
  std::size_t kept = count_kept(town);
  // One that two strangers have sent to and asked may still be on its way (S3).
  for (const Stopwatch waiting; kept < parcels_each * size && waiting.seconds() < 10;)
    kept = count_kept(town);
  check(kept == parcels_each * size, "no parcel is lost, and none is new");

  std::ranges::sort(rates);
  const double middle = (rates[intervals / 2 - 1] + rates[intervals / 2]) / 2;
  const std::string metric = "traffic_" + std::to_string(size);
  report(metric, middle, "msg/s");
  report(metric + "_scatter", (rates.back() - rates.front()) / middle * 100, "%");
}

}  // namespace

void traffic_8() {
  measure(8, 1s);
}

void traffic_100() {
  measure(100, 1s);
}

void traffic_10000() {
  measure(10'000, 1s);
}

void traffic_1000000() {
  measure(1'000'000, 1s);
}

void traffic_tiny() {
  measure(8, 10ms);
  measure(1000, 10ms);
}

}  // namespace bench
