// answers.cpp: from published words, and from a process that asks another one.
#include "inspector/answers.hpp"

#include <unistd.h>
#include <airssys/rt/detail/program.hpp>
#include <airssys/rt/error.hpp>
#include <airssys/rt/info.hpp>

#include <cerrno>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "runtime/call.hpp"
#include "runtime/info.hpp"
#include "runtime/snapshot.hpp"

namespace airssys::rt::inspector {

namespace {

const char* to_string(Priority priority) noexcept {
  switch (priority) {
    case Priority::low:
      return "low";
    case Priority::normal:
      return "normal";
    case Priority::high:
      return "high";
    case Priority::max:
      return "max";
  }
  return "?";
}

void begin_answer(base::JsonWriter& json) {
  json.begin_object().key("version").number(protocol_version);
}

void pid_or_null(base::JsonWriter& json, Pid pid) {
  if (pid) {
    json.text(pid.to_string());
  } else {
    json.null();
  }
}

// `count` answers how many messages were dropped for a reason.
template <class F>
void add_drops(base::JsonWriter& json, F count) {
  json.key("drops").begin_object();
  for (std::size_t i = 0; i < drop_reasons; ++i) {
    const auto reason = static_cast<DropReason>(i);
    json.key(rt::to_string(reason)).number(count(reason));
  }
  json.end_object();
}

// The members of one process that are published.
void add_row(base::JsonWriter& json, const runtime::Row& row) {
  json.key("pid").text(row.pid.to_string()).key("parent");
  pid_or_null(json, row.parent);
  json.key("name").text(row.name).key("label").text(row.label).key("code").text(row.code);
  json.key("state").text(rt::to_string(row.state));
  json.key("wait_reason").text(runtime::to_string(row.wait_reason));
  json.key("waits_for");
  pid_or_null(json, row.waits_for);
  json.key("born").number(row.born).key("reductions").number(row.reductions);
  json.key("messages").number(row.messages).key("message_bytes").number(row.message_bytes);
  json.key("overloaded").boolean(row.is_overloaded);
  if (row.is_bounded || row.drops.total() != 0)
    add_drops(json, [&row](DropReason reason) { return row.drops[reason]; });
}

void add_pids(base::JsonWriter& json, std::string_view name, const std::vector<Pid>& pids) {
  json.key(name).begin_object().key("count").number(pids.size());
  json.key("pids").begin_array();
  for (std::size_t i = 0; i < pids.size() && i < Answers::pids_max; ++i)
    json.text(pids[i].to_string());
  json.end_array().end_object();
}

void add_dictionary(base::JsonWriter& json, const std::vector<LocalInfo>& dictionary) {
  json.key("dictionary").begin_array();
  for (std::size_t i = 0; i < dictionary.size() && i < Answers::pids_max; ++i) {
    json.begin_object().key("name").text(dictionary[i].name);
    json.key("value").text(dictionary[i].value).end_object();
  }
  json.end_array();
}

void add_own_words(base::JsonWriter& json, const ProcessInfo& info) {
  json.key("priority").text(to_string(info.priority));
  json.key("traps_exits").boolean(info.traps_exits);
  json.key("memory_bytes").number(info.memory_bytes);
  add_pids(json, "links", info.links);
  add_pids(json, "monitors", info.monitors);
  add_pids(json, "monitored_by", info.monitored_by);
  add_pids(json, "suspended_by", info.suspended_by);
  add_dictionary(json, info.dictionary);
  json.key("dropped_of").begin_array();
  for (const Drops::Sender& sender : info.drops.senders) {
    json.begin_object().key("pid").text(sender.pid.to_string());
    json.key("count").number(sender.count).end_object();
  }
  json.end_array();
}

Refusal no_process(const Request& request) {
  return {"no_process",
          request.pid ? "there is no process " + request.pid.to_string() + " any more"
                      : "there is no process in slot " + std::to_string(request.slot)};
}

}  // namespace

// Shared by the process that asks and by who waits for it here.
struct Answers::Question {
  std::mutex mutex;
  std::condition_variable has_ended;
  // Under mutex.
  bool is_over = false;
  std::optional<ProcessInfo> info;

  void end(std::optional<ProcessInfo> answer) {
    {
      const std::lock_guard lock(mutex);
      is_over = true;
      info = std::move(answer);
    }
    has_ended.notify_one();
  }
  std::optional<ProcessInfo> wait() {
    std::unique_lock lock(mutex);
    has_ended.wait_for(lock, patience, [this] { return is_over; });
    return std::exchange(info, std::nullopt);
  }
  bool is_stuck() {
    const std::lock_guard lock(mutex);
    return !is_over;
  }
};

Answers::Answers(runtime::System& system)
    : system_(system), started_(std::chrono::system_clock::now()) {}

std::expected<std::string, Refusal> Answers::answer(const Request& request) {
  switch (request.verb) {
    case Verb::hello:
      return hello();
    case Verb::schedulers:
      return schedulers();
    case Verb::ps:
      return page(request.slot);
    case Verb::info:
      return info(request);
  }
  RT_UNREACHABLE("a request of no verb");
}

std::string Answers::hello() {
  const auto started =
      std::chrono::duration_cast<std::chrono::seconds>(started_.time_since_epoch());
  base::JsonWriter json;
  begin_answer(json);
  json.key("program").text(program_invocation_short_name);
  json.key("process_id").number(static_cast<std::uint64_t>(::getpid()));
  json.key("started_unix").number(static_cast<std::uint64_t>(started.count()));
  json.key("schedulers").number(system_.count());
  json.key("processes").number(system_.table.alive());
  json.key("process_table_bytes").number(system_.table.reserved_bytes());
  // relaxed: a figure.
  json.key("abandoned").number(system_.abandoned.load(std::memory_order_relaxed));
  add_drops(json, [this](DropReason reason) { return system_.dead_letters.total(reason); });
  return json.end_object().take();
}

std::string Answers::schedulers() {
  base::JsonWriter json;
  begin_answer(json);
  json.key("schedulers").begin_array();
  for (const SchedulerStatistics& each : runtime::scheduler_statistics(system_)) {
    json.begin_object().key("id").number(each.scheduler - 1).key("queued").number(each.queued);
    json.key("turns").number(each.turns).key("reductions").number(each.reductions);
    json.key("steals").number(each.steals).key("sleeps").number(each.sleeps);
    json.key("timers").number(each.timers).key("hand_overs").number(each.hand_overs);
    json.key("busy_ns").number(static_cast<std::uint64_t>(each.busy.count()));
    json.key("total_ns").number(static_cast<std::uint64_t>(each.total.count())).end_object();
  }
  return json.end_array().end_object().take();
}

std::string Answers::page(std::uint32_t first) {
  constexpr std::uint32_t end = runtime::ProcessTable::slots_max;
  base::JsonWriter json;
  begin_answer(json);
  json.key("processes").begin_array();
  std::uint32_t next = 0;
  if (first < end) {
    const std::uint32_t last = first + std::min(page_slots, end - first);
    next = runtime::snapshot(system_, first, last, [&json](const runtime::Row& row) {
      json.begin_object();
      add_row(json, row);
      json.end_object();
    });
  }
  return json.end_array().key("next").number(next).end_object().take();
}

std::optional<runtime::Row> Answers::find(const Request& request) {
  std::optional<runtime::Row> found;
  runtime::snapshot(system_, request.slot, request.slot + 1, [&](const runtime::Row& row) {
    if (!request.pid || row.pid == request.pid) found = row;
  });
  return found;
}

std::expected<std::string, Refusal> Answers::info(const Request& request) {
  const std::optional<runtime::Row> row = find(request);
  if (!row) return std::unexpected(no_process(request));
  std::optional<ProcessInfo> own_words;
  if (const auto question = ask(row->pid)) own_words = question->wait();
  if (!own_words && !find({.verb = Verb::info, .slot = request.slot, .pid = row->pid}))
    return std::unexpected(no_process(request));
  base::JsonWriter json;
  begin_answer(json);
  json.key("process").begin_object();
  add_row(json, *row);
  const bool has_answered = own_words && own_words->has_answered;
  json.key("asked").text(has_answered ? "answered" : "busy");
  if (has_answered) add_own_words(json, *own_words);
  return json.end_object().end_object().take();
}

// Starts the process that asks; null when an earlier one is stuck or none can be started.
std::shared_ptr<Answers::Question> Answers::ask(Pid pid) {
  if (const auto last = asked_.lock(); last && last->is_stuck()) return nullptr;
  auto question = std::make_shared<Question>();
  const SpawnOptions options{.priority = Priority::max};
  const runtime::Visit inside(system_);
  try {
    runtime::Process& process = system_.create(
        detail::make_body([pid, question] {
          question->end(process_info(pid, {.dictionary = true, .timeout = patience}));
        }),
        &options,
        {});
    system_.launch(process);
  } catch (const SpawnError&) {  // the table is full, or the runtime is stopping
    return nullptr;
  }
  asked_ = question;
  return question;
}

}  // namespace airssys::rt::inspector
