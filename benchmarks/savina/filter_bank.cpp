// filter_bank.cpp: S17: a wide and deep pipeline; two stages of each bank compute, others forward.
//
//   Producer ⇄ Source ─▶ Branches ─▶ Bank ─▶ Delay ─▶ FIR ─▶ Sample ─▶ Delay ─▶ FIR ─▶ Tag ─┐
//                            └─────▶ ... a row of seven for each of the banks ...           │
//                                                     Sink ◀─ Combine ◀─ Integrator ◀───────┘
#include <algorithm>
#include <deque>
#include <numeric>
#include <utility>

#include "programs.hpp"

namespace savina {

namespace filter_bank {
namespace {

struct Shape {
  std::int64_t banks;
  std::int64_t columns;
  std::int64_t steps;
};

struct Boot {};
struct Next {};
struct Value {
  std::int64_t value;
};
struct Tagged {
  std::int64_t bank;
  std::int64_t value;
};
using Row = std::vector<std::int64_t>;  // a value of each bank
struct Exit {};

struct Filtered {
  std::int64_t bank;
  std::int64_t last;
  std::int64_t count;
};
struct Sunk {
  std::int64_t count = 0;
  std::int64_t not_zero = 0;
  std::int64_t last = 0;
  std::int64_t largest = 0;
  std::int64_t sum = 0;
};

// A process of the chain: answers to each value, and passes the end on before its own.
class Stage : public rt::Behaviour {
 public:
  explicit Stage(std::vector<rt::Pid> next) : next_(std::move(next)) {}

  void message(rt::Message& message) override {
    if (const Value* value = message.get_if<Value>()) return take(value->value);
    at_end();
    for (const rt::Pid next : next_) rt::send(next, Exit{});
    rt::exit(rt::ExitReason::normal());
  }

 protected:
  virtual void take(std::int64_t value) { pass(value); }
  virtual void at_end() {}
  void pass(std::int64_t value) {
    for (const rt::Pid next : next_) rt::send(next, Value{value});
  }
  rt::Pid next() const { return next_.front(); }

 private:
  std::vector<rt::Pid> next_;
};

class Delay : public Stage {
 public:
  Delay(rt::Pid next, std::int64_t length)
      : Stage({next}), kept_(static_cast<std::size_t>(length)) {}

  void take(std::int64_t value) override {
    pass(std::exchange(kept_[at_], value));
    at_ = (at_ + 1) % kept_.size();
  }

 private:
  Row kept_;
  std::size_t at_ = 0;
};

class Fir : public Stage {
 public:
  // `report_to`, if anybody, is told of the last output.
  Fir(rt::Pid next, Row coefficients, std::int64_t bank, rt::Pid report_to)
      : Stage({next}),
        data_(coefficients.size()),
        reversed_(coefficients.rbegin(), coefficients.rend()),
        bank_(bank),
        report_to_(report_to) {}

  void take(std::int64_t value) override {
    data_[at_] = value;
    at_ = (at_ + 1) % data_.size();
    if (at_ == 0) is_full_ = true;
    if (!is_full_) return;
    last_ = 0;
    for (std::size_t i = 0; i < data_.size(); ++i) last_ += data_[i] * reversed_[i];
    ++count_;
    pass(last_);
  }
  void at_end() override {
    if (report_to_) rt::send(report_to_, Filtered{bank_, last_, count_});
  }

 private:
  Row data_;
  Row reversed_;
  std::int64_t bank_;
  rt::Pid report_to_;
  std::size_t at_ = 0;
  bool is_full_ = false;
  std::int64_t last_ = 0;
  std::int64_t count_ = 0;
};

class Sample : public Stage {
 public:
  Sample(rt::Pid next, std::int64_t every) : Stage({next}), every_(every) {}
  void take(std::int64_t value) override {
    pass(at_ == 0 ? value : 0);
    at_ = (at_ + 1) % every_;
  }

 private:
  std::int64_t every_;
  std::int64_t at_ = 0;
};

class Tag : public Stage {
 public:
  Tag(rt::Pid next, std::int64_t bank) : Stage({next}), bank_(bank) {}
  void take(std::int64_t value) override { rt::send(next(), Tagged{bank_, value}); }

 private:
  std::int64_t bank_;
};

class Integrator : public rt::Behaviour {
 public:
  Integrator(rt::Pid next, std::int64_t banks)
      : next_(next), waiting_(static_cast<std::size_t>(banks)) {}

  void message(rt::Message& message) override {
    if (const Tagged* tagged = message.get_if<Tagged>()) {
      waiting_[static_cast<std::size_t>(tagged->bank)].push_back(tagged->value);
      pass_complete_rows();
    } else if (++ended_ == waiting_.size()) {
      rt::send(next_, Exit{});
      rt::exit(rt::ExitReason::normal());
    }
  }

 private:
  void pass_complete_rows() {
    while (std::ranges::none_of(waiting_, &std::deque<std::int64_t>::empty)) {
      Row row;
      for (auto& values : waiting_) {
        row.push_back(values.front());
        values.pop_front();
      }
      rt::send(next_, std::move(row));
    }
  }

  rt::Pid next_;
  std::vector<std::deque<std::int64_t>> waiting_;
  std::size_t ended_ = 0;
};

class Combine : public rt::Behaviour {
 public:
  explicit Combine(rt::Pid sink) : sink_(sink) {}

  void message(rt::Message& message) override {
    if (const Row* row = message.get_if<Row>())
      return rt::send(sink_, Value{std::accumulate(row->begin(), row->end(), std::int64_t{0})});
    rt::send(sink_, Exit{});
    rt::exit(rt::ExitReason::normal());
  }

 private:
  rt::Pid sink_;
};

class Sink : public rt::Behaviour {
 public:
  explicit Sink(rt::Pid main) : main_(main) {}

  void message(rt::Message& message) override {
    const Value* value = message.get_if<Value>();
    if (!value) {
      rt::send(main_, sunk_);
      rt::exit(rt::ExitReason::normal());
    }
    ++sunk_.count;
    if (value->value != 0) ++sunk_.not_zero;
    sunk_.last = value->value;
    sunk_.largest = std::max(sunk_.largest, value->value);
    sunk_.sum += value->value;
  }

 private:
  rt::Pid main_;
  Sunk sunk_;
};

class Source : public rt::Behaviour {
 public:
  explicit Source(rt::Pid branches) : branches_(branches) {}

  void start() override { producer_ = rt::receive<rt::Pid>(); }
  void message(rt::Message& message) override {
    if (message.is<Boot>()) {
      rt::send(branches_, Value{value_});
      value_ = (value_ + 1) % 1000;
      return rt::send(producer_, Next{});
    }
    rt::send(branches_, Exit{});
    rt::exit(rt::ExitReason::normal());
  }

 private:
  rt::Pid branches_;
  rt::Pid producer_;
  std::int64_t value_ = 0;
};

template <class T, class... Args>
rt::Pid spawn_stage(Args&&... args) {
  return rt::spawn_behaviour(std::make_unique<T>(std::forward<Args>(args)...));
}

// The first process of a bank's row of seven.
rt::Pid spawn_bank(std::int64_t c, const Shape& shape, rt::Pid integrator, rt::Pid main) {
  Row h;
  Row f;
  for (std::int64_t i = 0; i < shape.columns; ++i) {
    h.push_back(i * shape.columns + c * shape.banks + c + i + c + 1);
    f.push_back(i * c + c * c + c + i);
  }
  rt::Pid next = spawn_stage<Tag>(integrator, c);
  next = spawn_stage<Fir>(next, std::move(f), c, rt::Pid());
  next = spawn_stage<Delay>(next, shape.columns - 1);
  next = spawn_stage<Sample>(next, shape.columns);
  next = spawn_stage<Fir>(next, std::move(h), c, main);
  next = spawn_stage<Delay>(next, shape.columns - 1);
  return spawn_stage<Stage>(std::vector{next});
}

class FilterBank : public Program {
 public:
  FilterBank(const Shape& shape, const Sunk& wanted, bool is_suite)
      : shape_(shape), wanted_(wanted), is_suite_(is_suite) {}

  void run() override {
    const rt::Pid sink = spawn_stage<Sink>(rt::self());
    const rt::Pid combine = spawn_stage<Combine>(sink);
    const rt::Pid integrator = spawn_stage<Integrator>(combine, shape_.banks);
    std::vector<rt::Pid> banks;
    for (std::int64_t c = 0; c < shape_.banks; ++c)
      banks.push_back(spawn_bank(c, shape_, integrator, rt::self()));
    const rt::Pid source = spawn_stage<Source>(spawn_stage<Stage>(std::move(banks)));
    rt::spawn([source, steps = shape_.steps] {
      rt::send(source, rt::self());
      for (std::int64_t step = 0; step < steps; ++step) {
        rt::send(source, Boot{});
        rt::receive<Next>();
      }
      rt::send(source, Exit{});
    });
    sunk_ = rt::receive<Sunk>();
    for (std::int64_t c = 0; c < shape_.banks; ++c) {
      const auto filtered = rt::receive<Filtered>();
      first_firs_[static_cast<std::size_t>(filtered.bank)] = filtered;
    }
  }

  Outcome outcome() override {
    check(sunk_.count == wanted_.count && sunk_.not_zero == wanted_.not_zero, "as many values");
    check(sunk_.last == wanted_.last && sunk_.sum == wanted_.sum, "and those");
    if (wanted_.largest != 0) check(sunk_.largest == wanted_.largest, "the largest value");
    if (is_suite_) {
      check(first_firs_[0].last == 1'084'449'088'446'592 && first_firs_[0].count == 18'433,
            "the first filter of the first bank");
      check(first_firs_[7].last == 1'084'449'654'351'232, "the first filter of the last bank");
    }
    const std::int64_t filtered = shape_.steps - shape_.columns + 1;
    return {.parameters = {{"CH", as_double(shape_.banks)},
                           {"COL", as_double(shape_.columns)},
                           {"T", as_double(shape_.steps)}},
            .messages = 3 * shape_.steps + 3 * shape_.banks * shape_.steps +
                        3 * shape_.banks * filtered + (2 * shape_.banks + 2) * wanted_.count,
            .processes = 7 * shape_.banks + 6};
  }

 private:
  const Shape shape_;
  const Sunk wanted_;
  const bool is_suite_;
  Sunk sunk_;
  std::vector<Filtered> first_firs_ = std::vector<Filtered>(static_cast<std::size_t>(shape_.banks));
};

}  // namespace
}  // namespace filter_bank

std::unique_ptr<Program> make_filter_bank(const Setting& /*setting*/) {
  return std::make_unique<filter_bank::FilterBank>(
      filter_bank::Shape{8, 16'384, 34'816}, filter_bank::Sunk{2'050, 0, 0, 0, 0}, true);
}
std::unique_ptr<Program> make_filter_bank_narrow(const Setting& /*setting*/) {
  return std::make_unique<filter_bank::FilterBank>(
      filter_bank::Shape{8, 100, 34'816},
      filter_bank::Sunk{34'618, 34'518, 45'341'427'600, 79'304'979'600, 1'407'938'470'696'800},
      false);
}
std::unique_ptr<Program> make_filter_bank_short(const Setting& /*setting*/) {
  return std::make_unique<filter_bank::FilterBank>(
      filter_bank::Shape{4, 512, 4'096},
      filter_bank::Sunk{3'074, 2'562, 954'274'984'320, 0, 1'351'548'845'187'840},
      false);
}

}  // namespace savina
