// executor.cpp: which command is which function, and what they have in common.
//
// Memory is asked for once, before a command that may need some, as Redis does: a single command
// may therefore go beyond the limit, the next one is refused.
#include "examples/kvd/executor.hpp"

#include "examples/kvd/reply.hpp"

namespace kvd {

void Executor::execute(const Burst& burst, Part& part, std::int64_t now_ms) {
  out_ = &part.replies;
  records_ = &part.records;
  now_ms_ = now_ms;
  for (std::uint32_t number : part.operations) keys_.prefetch_bucket(burst.operations[number].hash);
  for (std::uint32_t number : part.operations) keys_.prefetch_entry(burst.operations[number].hash);
  for (std::uint32_t number : part.operations) {
    const Operation& operation = burst.operations[number];
    hash_ = operation.hash;
    execute(operation, Arguments(burst, operation));
    part.reply_ends.push_back(part.replies.size());
  }
}

void Executor::execute(const Operation& operation, const Arguments& arguments) {
  if (out_->size() >= limits_.replies_bytes_max) {
    append_error(*out_, "ERR too much was asked for at once, wait for the answers before it");
    return;
  }
  if ((info_of(operation.command).effects & grows) != 0 && is_out_of_memory()) {
    append_error(*out_, "OOM command not allowed when used memory > 'maxmemory'.");
    return;
  }
  switch (operation.command) {
    case Command::get:
    case Command::mget:
      return do_get(arguments);
    case Command::set:
    case Command::mset:
      return do_set(arguments);
    case Command::getset:
      return do_getset(arguments);
    case Command::append:
      return do_append(arguments);
    case Command::strlen:
      return do_strlen(arguments);
    case Command::incr:
      return do_increment(arguments, 1);
    case Command::decr:
      return do_increment(arguments, -1);
    case Command::incrby:
      return do_increment_by(arguments, false);
    case Command::decrby:
      return do_increment_by(arguments, true);
    case Command::del:
    case Command::unlink:
      return do_delete(arguments);
    case Command::exists:
      return do_exists(arguments);
    case Command::type:
      return do_type(arguments);
    case Command::expire:
    case Command::pexpire:
      return do_expire(arguments, operation.command);
    case Command::ttl:
    case Command::pttl:
      return do_ttl(arguments, operation.command);
    case Command::persist:
      return do_persist(arguments);
    case Command::keys:
      return do_keys(arguments);
    case Command::scan:
      return do_scan(arguments);
    case Command::dbsize:
      return append_integer(*out_, static_cast<std::int64_t>(keys_.size()));
    case Command::flushall:
    case Command::flushdb:
      return do_flush();
    case Command::info:
      return do_numbers();
    case Command::debug:
      throw CrashRequested();
    case Command::client:
    case Command::command:
    case Command::config:
    case Command::echo:
    case Command::ping:
    case Command::quit:
    case Command::select:
      break;  // never sent to a shard: the connection answers
  }
  append_error(*out_, "ERR this command has no shard");
}

void Executor::sweep(std::int64_t now_ms, std::size_t budget) {
  expired_ += static_cast<std::int64_t>(keys_.sweep(now_ms, budget));
}

Entry* Executor::find(std::string_view key) {
  std::size_t before = keys_.size();
  Entry* entry = keys_.find(key, hash_, now_ms_);
  expired_ += static_cast<std::int64_t>(before - keys_.size());
  return entry;
}

Entry* Executor::find_for_reading(std::string_view key) {
  Entry* entry = find(key);
  ++(entry ? hits_ : misses_);
  return entry;
}

void Executor::erase(std::string_view key) {
  keys_.erase(key, hash_);
  append_record(*records_, {.kind = Record::Kind::erase, .key = key});
}

void Executor::store(Entry* entry,
                     std::string_view key,
                     std::string_view value,
                     std::int64_t expire_at_ms) {
  if (entry == nullptr) entry = &keys_.insert(key, hash_);
  keys_.set_value(*entry, value);
  keys_.set_expiry(*entry, expire_at_ms);
  append_record(*records_, {Record::Kind::set, expire_at_ms, key, value});
}

bool Executor::is_out_of_memory() const noexcept {
  return limits_.memory_bytes_max != 0 && keys_.used_bytes() > limits_.memory_bytes_max;
}

}  // namespace kvd
