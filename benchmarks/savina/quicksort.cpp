// quicksort.cpp: S15: a process a part; messages that own a lot of memory are moved down and up.
#include <algorithm>
#include <iterator>
#include <utility>

#include "programs.hpp"
#include "random.hpp"

namespace savina {

namespace quicksort {
namespace {

using Numbers = std::vector<std::int64_t>;
constexpr std::size_t cut_off = 2048;

enum class Side : bool { left, right };
struct Sort {
  Numbers numbers;
};
struct Sorted {
  Side side;
  Numbers numbers;
  std::int64_t processes;
};

struct Parts {
  Numbers left, equal, right;
};

Parts split(const Numbers& numbers) {
  Parts parts;
  const std::int64_t pivot = numbers[numbers.size() / 2];
  for (const std::int64_t number : numbers)
    (number < pivot ? parts.left : number > pivot ? parts.right : parts.equal).push_back(number);
  return parts;
}

void append(Numbers& to, const Numbers& from) {
  to.insert(to.end(), from.begin(), from.end());
}

void sort_alone(Numbers& numbers) {
  if (numbers.size() < 2) return;
  Parts parts = split(numbers);
  sort_alone(parts.left);
  sort_alone(parts.right);
  numbers = std::move(parts.left);
  append(numbers, parts.equal);
  append(numbers, parts.right);
}

void sort_part(rt::Pid parent, Side side);

void spawn_part(Side side, Numbers numbers) {
  const rt::Pid part = rt::spawn([parent = rt::self(), side] { sort_part(parent, side); });
  rt::send(part, Sort{std::move(numbers)});
}

// The body of a part: what it is sent, it sends back sorted.
void sort_part(rt::Pid parent, Side side) {
  Numbers numbers = rt::receive<Sort>().numbers;
  std::int64_t processes = 1;
  if (numbers.size() < cut_off) {
    sort_alone(numbers);
  } else {
    Parts parts = split(numbers);
    spawn_part(Side::left, std::move(parts.left));
    spawn_part(Side::right, std::move(parts.right));
    for (int i = 0; i < 2; ++i) {
      auto sorted = rt::receive<Sorted>();
      processes += sorted.processes;
      (sorted.side == Side::left ? parts.left : parts.right) = std::move(sorted.numbers);
    }
    numbers = std::move(parts.left);
    append(numbers, parts.equal);
    append(numbers, parts.right);
  }
  rt::send(parent, Sorted{side, std::move(numbers), processes});
}

class Quicksort : public Program {
 public:
  explicit Quicksort(const Setting& setting)
      : is_suite_(setting.size == Size::suite), count_(setting.pick(1'000'000, 10'000'000)) {
    R16 random(1024);
    std::generate_n(std::back_inserter(numbers_), count_, [&] { return random.draw(); });
    sum_ = sum(numbers_);
  }

  void run() override {
    spawn_part(Side::left, std::move(numbers_));
    auto sorted = rt::receive<Sorted>();
    numbers_ = std::move(sorted.numbers);
    processes_ = sorted.processes;
  }

  Outcome outcome() override {
    check(std::ranges::is_sorted(numbers_), "sorted");
    check(std::ssize(numbers_) == count_ && sum(numbers_) == sum_, "all of them");
    if (is_suite_) check_suite();
    return {.parameters = {{"N", as_double(count_)}, {"T", static_cast<double>(cut_off)}},
            .messages = 2 * processes_,
            .processes = processes_};
  }

 private:
  static std::int64_t sum(const Numbers& numbers) {
    std::int64_t sum = 0;
    for (const std::int64_t number : numbers) sum += number;
    return sum;
  }

  void check_suite() const {
    check(numbers_.front() == 0 && numbers_.back() == 65'535, "first and last");
    check(sum_ == 32'768'134'304, "the numbers are those of the definition");
    std::int64_t weighed = 0;
    for (std::size_t i = 0; i < numbers_.size(); ++i)
      weighed += static_cast<std::int64_t>(i + 1) * numbers_[i];
    check(weighed == 21'845'906'015'448'552, "each at its place");
    check(processes_ == 1'939, "as many parts as the definition has");
  }

  const bool is_suite_;
  const std::int64_t count_;
  Numbers numbers_;
  std::int64_t sum_ = 0;
  std::int64_t processes_ = 0;
};

}  // namespace
}  // namespace quicksort

std::unique_ptr<Program> make_quicksort(const Setting& setting) {
  return std::make_unique<quicksort::Quicksort>(setting);
}

}  // namespace savina
