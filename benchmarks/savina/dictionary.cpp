// dictionary.cpp: S7 and S8: twenty clients ask one server; its state is large, or a slow list.
#include <forward_list>
#include <unordered_map>
#include <utility>

#include "programs.hpp"
#include "random.hpp"

namespace savina {

namespace dictionary {
namespace {

constexpr std::int64_t clients = 20;

// The same questions to both servers; a dictionary is never asked for its size.
struct Write {
  std::int64_t key;
  std::int64_t value;
  rt::Pid from;
};
struct Read {
  std::int64_t key;
  rt::Pid from;
};
struct Count {
  rt::Pid from;
};
struct Result {
  std::int64_t value;
};
struct End {};

struct Asked {
  std::int64_t writes = 0;
  std::int64_t reads = 0;
  std::int64_t sizes = 0;
};

std::int64_t ask(rt::Pid server, auto question) {
  rt::send(server, std::move(question));
  return rt::receive<Result>().value;
}

// --- S7: the dictionary. -----------------------------------------------------------------------

constexpr std::int64_t keys = 524'287;
using Table = std::unordered_map<std::int64_t, std::int64_t>;

class Dictionary : public rt::Behaviour {
 public:
  Dictionary(Table table, rt::Pid main) : table_(std::move(table)), main_(main) {}

  void message(rt::Message& message) override {
    if (const Write* write = message.get_if<Write>()) {
      table_[write->key] = write->value;
      rt::send(write->from, Result{write->value});
    } else if (const Read* read = message.get_if<Read>()) {
      rt::send(read->from, Result{table_.at(read->key)});
    } else {
      rt::send(main_, std::move(table_));
      rt::exit(rt::ExitReason::normal());
    }
  }

 private:
  Table table_;
  rt::Pid main_;
};

// A key's value is itself, or what was written: R16 pairs each key with one value.
Asked use_dictionary(rt::Pid dictionary, std::int64_t client, std::int64_t requests) {
  constexpr std::int64_t write_percent = 10;
  R16 random(static_cast<std::uint64_t>(client + requests + write_percent));
  Asked asked;
  for (std::int64_t i = 0; i < requests; ++i) {
    const bool is_write = random.mod(100) < write_percent;
    const std::int64_t key = random.mod(keys);
    if (is_write) {
      ++asked.writes;
      ask(dictionary, Write{key, random.draw(), rt::self()});
    } else {
      ++asked.reads;
      const std::int64_t value = ask(dictionary, Read{key, rt::self()});
      check(value == key || value == R16(static_cast<std::uint64_t>(key)).draw(),
            "what was read is what the key had or was given");
    }
  }
  return asked;
}

// --- S8: the list. -----------------------------------------------------------------------------

using List = std::forward_list<std::int64_t>;

class SortedList : public rt::Behaviour {
 public:
  explicit SortedList(rt::Pid main) : main_(main) {}

  void message(rt::Message& message) override {
    if (const Write* write = message.get_if<Write>()) {
      insert(write->value);
      rt::send(write->from, Result{write->value});
    } else if (const Read* read = message.get_if<Read>()) {
      rt::send(read->from, Result{contains(read->key) ? 1 : 0});
    } else if (const Count* size = message.get_if<Count>()) {
      rt::send(size->from, Result{std::distance(list_.begin(), list_.end())});
    } else {
      rt::send(main_, std::move(list_));
      rt::exit(rt::ExitReason::normal());
    }
  }

 private:
  void insert(std::int64_t value) {
    auto before = list_.before_begin();
    for (auto at = list_.begin(); at != list_.end() && *at < value; ++at) before = at;
    list_.insert_after(before, value);
  }
  bool contains(std::int64_t value) const {
    auto at = list_.begin();
    while (at != list_.end() && *at < value) ++at;
    return at != list_.end() && *at == value;
  }

  List list_;
  rt::Pid main_;
};

Asked use_list(rt::Pid list, std::int64_t client, std::int64_t requests) {
  constexpr std::int64_t write_percent = 10;
  constexpr std::int64_t size_percent = 1;
  R16 random(static_cast<std::uint64_t>(client + requests + write_percent + size_percent));
  Asked asked;
  for (std::int64_t i = 0; i < requests; ++i) {
    const std::int64_t a = random.mod(100);
    if (a < size_percent) {
      ++asked.sizes;
      ask(list, Count{rt::self()});
    } else if (a < size_percent + write_percent) {
      ++asked.writes;
      ask(list, Write{0, random.draw(), rt::self()});
    } else {
      ++asked.reads;
      ask(list, Read{random.draw(), rt::self()});
    }
  }
  return asked;
}

// --- Both. -------------------------------------------------------------------------------------

using Client = Asked (*)(rt::Pid server, std::int64_t client, std::int64_t requests);

// The master: ends the server when all clients are through.
Asked serve_clients(rt::Pid server, Client client, std::int64_t requests) {
  for (std::int64_t i = 0; i < clients; ++i) {
    rt::spawn([=, master = rt::self()] { rt::send(master, client(server, i, requests)); });
  }
  Asked all;
  for (std::int64_t i = 0; i < clients; ++i) {
    const auto asked = rt::receive<Asked>();
    all.writes += asked.writes;
    all.reads += asked.reads;
    all.sizes += asked.sizes;
  }
  rt::send(server, End{});
  return all;
}

class ConcurrentDictionary : public Program {
 public:
  ConcurrentDictionary() {
    table_.reserve(keys);
    for (std::int64_t key = 0; key < keys; ++key) table_[key] = key;
  }

  void run() override {
    const rt::Pid dictionary =
        rt::spawn_behaviour(std::make_unique<Dictionary>(std::move(table_), rt::self()));
    rt::spawn(
        [this, dictionary] { asked_ = serve_clients(dictionary, &use_dictionary, requests); });
    table_ = rt::receive<Table>();
  }

  Outcome outcome() override {
    check(asked_.writes == 19'981 && asked_.reads == 180'019, "as many requests of each kind");
    check(std::ssize(table_) == keys, "no key came or went");
    std::int64_t sum = 0;
    std::int64_t changed = 0;
    for (const auto& [key, value] : table_) {
      sum += value;
      if (value != key) ++changed;
    }
    check(sum == 137'436'101'965 && changed <= 3'156, "each key has its value");
    return {.parameters = {{"E", clients}, {"M", requests}},
            .messages = 2 * clients * requests,
            .processes = clients + 2};
  }

 private:
  static constexpr std::int64_t requests = 10'000;

  Table table_;
  Asked asked_;
};

class ConcurrentSortedList : public Program {
 public:
  void run() override {
    const rt::Pid list = rt::spawn_behaviour(std::make_unique<SortedList>(rt::self()));
    rt::spawn([this, list] { asked_ = serve_clients(list, &use_list, requests); });
    list_ = rt::receive<List>();
  }

  Outcome outcome() override {
    check(asked_.sizes == 10 && asked_.writes == 16'126 && asked_.reads == 143'864,
          "as many requests of each kind");
    std::int64_t place = 0;
    std::int64_t distinct = 0;
    std::int64_t sum = 0;
    std::int64_t weighed = 0;
    std::int64_t last = -1;
    for (const std::int64_t value : list_) {
      check(value >= last, "the list is sorted");
      if (value != last) ++distinct;
      last = value;
      sum += value;
      weighed += ++place * value;
    }
    check(place == 16'126 && distinct == 3'345, "as long as it should be");
    check(list_.front() == 2 && last == 65'504, "first and last");
    check(sum == 536'620'953 && weighed == 5'834'918'119'418, "each at its place");
    return {.parameters = {{"E", clients}, {"M", requests}},
            .messages = 2 * clients * requests,
            .processes = clients + 2};
  }

 private:
  static constexpr std::int64_t requests = 8'000;

  List list_;
  Asked asked_;
};

}  // namespace
}  // namespace dictionary

std::unique_ptr<Program> make_dictionary(const Setting& /*setting*/) {
  return std::make_unique<dictionary::ConcurrentDictionary>();
}
std::unique_ptr<Program> make_sorted_list(const Setting& /*setting*/) {
  return std::make_unique<dictionary::ConcurrentSortedList>();
}

}  // namespace savina
