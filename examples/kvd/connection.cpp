// connection.cpp: read, plan, send, await, write.
#include "examples/kvd/connection.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <span>
#include <utility>

#include "examples/kvd/buffer.hpp"
#include "examples/kvd/info.hpp"
#include "examples/kvd/limits.hpp"

namespace kvd {
namespace {

using namespace std::chrono_literals;

// How long a burst waits for a shard that is being started again.
constexpr auto restart_patience = 5s;
constexpr auto restart_look_interval = 500us;

}  // namespace

Connection::Connection(const Daemon& daemon, rt::net::TcpStream stream, std::uint64_t id)
    : daemon_(daemon),
      stream_(std::move(stream)),
      session_(id, daemon.settings),
      parser_(daemon.settings.value_bytes_max),
      plan_(static_cast<ShardNumber>(daemon.settings.shards)),
      shards_(daemon.settings.shards) {}

void Connection::serve() {
  while (read_more()) {
    while (plan_burst())
      if (!answer_burst()) return;
  }
}

bool Connection::read_more() {
  std::string& bytes = burst_->bytes;
  std::size_t had = bytes.size();
  std::size_t room = std::clamp(parser_.missing_bytes(), room_.bytes(), read_bytes_max);
  bytes.resize(had + room);
  std::span<char> buffer = std::span(bytes).subspan(had);
  std::expected<std::size_t, std::error_code> got =
      stream_.read_some(std::as_writable_bytes(buffer));
  bytes.resize(had + got.value_or(0));
  room_.adapt(got.value_or(0));
  return got.value_or(0) > 0;
}

bool Connection::plan_burst() {
  Burst& burst = *burst_;
  plan_.start(++burst_number_);
  while (burst.operations.size() < burst_operations_max && !session_.is_closing() && !is_broken_) {
    switch (parser_.next(burst.bytes)) {
      case RespParser::Result::incomplete:
        return !plan_.is_empty();
      case RespParser::Result::error:
        plan_.add_error(parser_.error());
        is_broken_ = true;
        break;
      case RespParser::Result::command: {
        std::size_t first = burst.arguments.size();
        std::span<const Slice> words = parser_.arguments();
        burst.arguments.insert(burst.arguments.end(), words.begin(), words.end());
        plan_.add(burst, first, session_);
      }
    }
  }
  return !plan_.is_empty();
}

bool Connection::answer_burst() {
  rt::trap_exit(true);
  send_parts();
  await_parts();
  plan_.finish(*burst_, out_, [&](const auto& sections, const auto& shards, std::string& out) {
    append_info(out, daemon_, sections, shards);
  });
  bool is_written = stream_.write_all(std::as_bytes(std::span(out_))).has_value();
  cut_off_answered();
  rt::trap_exit(false);
  bool is_asked_to_end = rt::receive<rt::Exit>(0ns).has_value();
  return is_written && !is_asked_to_end && !session_.is_closing() && !is_broken_;
}

// Makes room for the next burst; what has arrived of it already moves to the front.
void Connection::cut_off_answered() {
  std::size_t answered = parser_.command_begin();
  // A shard that died may have left its burst to somebody who still reads it.
  if (burst_.use_count() > 1) {
    auto fresh = std::make_shared<Burst>();
    fresh->bytes = burst_->bytes;
    burst_ = std::move(fresh);
  }
  burst_->bytes.erase(0, answered);
  if (burst_->bytes.empty()) reuse(burst_->bytes);
  reuse(burst_->arguments);
  reuse(burst_->operations);
  parser_.forget(answered);
  reuse(out_);
}

void Connection::send_parts() {
  // A shard that died while no part was there is forgotten before it is used.
  while (std::optional<rt::Down> down = rt::receive<rt::Down>(0ns)) forget(*down);
  for (ShardNumber number = 0; number < shards_.size(); ++number) {
    if (!plan_.needs(number)) continue;
    if (!know(number)) {
      plan_.lose(number);
      continue;
    }
    ShardLink& link = shards_[number];
    rt::cast(link.shard, Shard::Work{rt::self(), burst_, std::move(plan_.part(number))});
    link.has_part = true;
    ++parts_away_;
  }
}

void Connection::await_parts() {
  while (parts_away_ > 0) {
    rt::receive([&](Finished finished) { accept_part(std::move(finished)); },
                [&](const rt::Down& down) { forget(down); });
  }
}

// Finds and monitors the shard's process; false when there is none for long.
bool Connection::know(ShardNumber number) {
  ShardLink& link = shards_[number];
  if (link.is_known) return true;
  std::string name = shard_name(number);
  auto deadline = std::chrono::steady_clock::now() + restart_patience;
  std::optional<rt::Pid> pid = rt::whereis(name);
  while (!pid && std::chrono::steady_clock::now() < deadline) {
    rt::sleep(restart_look_interval);
    pid = rt::whereis(name);
  }
  if (!pid) return false;
  link = {.shard = rt::ServerRef<Shard>(*pid), .monitor = rt::monitor(*pid), .is_known = true};
  return true;
}

void Connection::accept_part(Finished finished) {
  ShardLink& link = shards_[finished.part->shard];
  // A part whose shard has died may still come from the log writer; its burst was answered.
  if (finished.part->number != burst_number_ || !link.has_part) return;
  ShardNumber shard = finished.part->shard;
  plan_.part(shard) = std::move(finished.part);
  link.has_part = false;
  --parts_away_;
}

void Connection::forget(const rt::Down& down) {
  auto link = std::ranges::find_if(
      shards_, [&](const ShardLink& each) { return each.is_known && each.monitor == down.ref; });
  if (link == shards_.end()) return;
  link->is_known = false;
  if (!std::exchange(link->has_part, false)) return;
  --parts_away_;
  plan_.lose(static_cast<ShardNumber>(link - shards_.begin()));
}

}  // namespace kvd
