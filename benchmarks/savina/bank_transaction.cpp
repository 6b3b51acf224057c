// bank_transaction.cpp: S12: a request inside of a request, while other mail waits.
//
// The account that pays waits for the one answer of the account that is paid, and for nothing else.
#include <algorithm>

#include "programs.hpp"
#include "random.hpp"

namespace savina {

namespace bank_transaction {
namespace {

constexpr std::int64_t accounts = 1000;

struct Credit {
  std::int64_t amount;
  rt::Pid to;
  rt::Pid teller;
};
struct Debit {
  std::int64_t amount;
  rt::Pid from;
  std::int64_t reference;
};
struct Debited {
  std::int64_t reference;
};
struct Done {};
struct Stop {};
struct Balance {
  std::int64_t account;
  std::int64_t amount;
};

class Account : public rt::Behaviour {
 public:
  Account(std::int64_t number, rt::Pid main) : number_(number), main_(main) {}

  void message(rt::Message& message) override {
    if (const Credit* credit = message.get_if<Credit>()) {
      pay(*credit);
    } else if (const Debit* debit = message.get_if<Debit>()) {
      balance_ += debit->amount;
      rt::send(debit->from, Debited{debit->reference});
    } else {
      rt::send(main_, Balance{number_, balance_});
      rt::exit(rt::ExitReason::normal());
    }
  }

 private:
  void pay(const Credit& credit) {
    balance_ -= credit.amount;
    rt::send(credit.to, Debit{credit.amount, rt::self(), ++reference_});
    rt::receive(rt::when([this](const Debited& debited) { return debited.reference == reference_; },
                         [](Debited) {}));
    rt::send(credit.teller, Done{});
  }

  std::int64_t number_;
  std::int64_t balance_ = 1'000'000;
  std::int64_t reference_ = 0;
  rt::Pid main_;
};

std::int64_t tell(const std::vector<rt::Pid>& pids, std::int64_t transfers) {
  R16 random(123456);
  std::int64_t volume = 0;
  for (std::int64_t i = 0; i < transfers; ++i) {
    const std::int64_t source = random.mod(accounts / 10 * 8);
    const std::int64_t distance = std::max<std::int64_t>(random.mod(accounts - source), 1);
    const std::int64_t amount = random.draw() + 1;
    volume += amount;
    rt::send(pids[static_cast<std::size_t>(source)],
             Credit{amount, pids[static_cast<std::size_t>(source + distance)], rt::self()});
  }
  for (std::int64_t i = 0; i < transfers; ++i) rt::receive<Done>();
  for (const rt::Pid account : pids) rt::send(account, Stop{});
  return volume;
}

class BankTransaction : public Program {
 public:
  explicit BankTransaction(const Setting& setting)
      : is_suite_(setting.size == Size::suite), transfers_(setting.pick(50'000, 500'000)) {}

  void run() override {
    std::vector<rt::Pid> pids;
    for (std::int64_t i = 0; i < accounts; ++i)
      pids.push_back(rt::spawn_behaviour(std::make_unique<Account>(i, rt::self())));
    rt::spawn([this, pids, main = rt::self()] {
      volume_ = tell(pids, transfers_);
      rt::send(main, Done{});
    });
    rt::receive<Done>();
    for (std::int64_t i = 0; i < accounts; ++i) {
      const auto balance = rt::receive<Balance>();
      balances_[static_cast<std::size_t>(balance.account)] = balance.amount;
    }
  }

  Outcome outcome() override {
    std::int64_t sum = 0;
    std::int64_t weighed = 0;
    for (std::int64_t i = 0; i < accounts; ++i) {
      sum += balances_[static_cast<std::size_t>(i)];
      weighed += (i + 1) * balances_[static_cast<std::size_t>(i)];
    }
    check(sum == 1'000'000'000, "no money was made or lost");
    if (is_suite_) check_suite(weighed);
    return {.parameters = {{"A", accounts}, {"N", as_double(transfers_)}},
            .messages = 4 * transfers_ + accounts + 1,
            .processes = accounts + 1};
  }

 private:
  void check_suite(std::int64_t weighed) const {
    check(volume_ == 1'642'856'904, "the transfers are those of the definition");
    check(balances_.front() == -1'014'677 && balances_.back() == 4'672'294, "first and last");
    const auto [least, most] = std::ranges::minmax(balances_);
    check(least == -1'409'430 && most == 14'028'716, "the extremes");
    check(weighed == 989'356'410'528, "each account has what it should");
  }

  const bool is_suite_;
  const std::int64_t transfers_;
  std::int64_t volume_ = 0;
  std::vector<std::int64_t> balances_ = std::vector<std::int64_t>(accounts);
};

}  // namespace
}  // namespace bank_transaction

std::unique_ptr<Program> make_bank_transaction(const Setting& setting) {
  return std::make_unique<bank_transaction::BankTransaction>(setting);
}

}  // namespace savina
