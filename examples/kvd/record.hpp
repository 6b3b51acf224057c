// record.hpp: one change of a keyspace, as it stands in the log.
//
//   u32 length of the body │ u32 CRC-32C of the body │ body
//   body:  u8 kind │ i64 expire_at_ms │ u32 key length │ key │ value        (little endian)
//
// Records say what a key *became*, not which command did it: `set` carries the value and the time
// it expires at. Only `append` is relative, so that a small append to a large value stays small.
// Expiry itself is not logged. Replaying a log does not look at the clock, so a key stays until the
// log is read to its end; a command that found the key expired has logged a `set`, not an `append`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "examples/kvd/keyspace.hpp"

namespace kvd {

struct Record {
  enum class Kind : std::uint8_t {
    set = 1,     // key := value, expire_at_ms
    append = 2,  // key's value gets `value` at its end
    erase = 3,   // key is gone
    expiry = 4,  // key's expire_at_ms
    flush = 5,   // all keys are gone
  };

  Kind kind = Kind::set;
  std::int64_t expire_at_ms = never_expires;
  std::string_view key = {};
  std::string_view value = {};

  bool operator==(const Record&) const = default;
};

void append_record(std::string& out, const Record& record);

// Does to `keys` what the record says; `hash` is its key's.
void apply(Keyspace& keys, const Record& record, std::uint64_t hash);

// Does it settle what its key is, whatever was before?
[[nodiscard]] constexpr bool is_final(Record::Kind kind) noexcept {
  return kind == Record::Kind::set || kind == Record::Kind::erase;
}

// Does what these records say, from the oldest on.
void apply_history(std::span<const Record> newest_first, Keyspace& keys);

// Takes records off the front of `bytes`, one after the other. The views in a record point into
// `bytes`.
class RecordReader {
 public:
  enum class Result {
    record,
    end,     // no byte is left
    broken,  // what comes next is not a whole and sound record
  };

  explicit RecordReader(std::string_view bytes) : rest_(bytes) {}

  [[nodiscard]] Result next(Record& record) noexcept;

  // The bytes that were not taken yet.
  [[nodiscard]] std::string_view rest() const noexcept { return rest_; }

 private:
  std::string_view rest_;
};

// The record that begins there. Requires: a RecordReader has taken it before.
[[nodiscard]] Record sound_record(const char* bytes) noexcept;

// Is there a sound record anywhere in `bytes`? Behind a broken record this tells a write that was
// cut off (no: nothing follows) from a damaged file (yes: history goes on behind the damage).
[[nodiscard]] bool holds_a_record(std::string_view bytes) noexcept;

}  // namespace kvd
