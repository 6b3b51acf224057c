// record.cpp: fixed fields are copied as they lie in memory; the rest is views.
//
// A length is believed only as far as the bytes at hand go, and a body only after its checksum.
#include "examples/kvd/record.hpp"

#include <bit>
#include <cstring>
#include <ranges>

#include "examples/kvd/crc32c.hpp"
#include "examples/kvd/hash.hpp"

namespace kvd {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they are");

constexpr std::size_t head_bytes = 8;
constexpr std::size_t fixed_body_bytes = 1 + 8 + 4;

template <typename Number>
void put(std::string& out, Number number) {
  char bytes[sizeof number];
  std::memcpy(bytes, &number, sizeof number);
  out.append(bytes, sizeof number);
}

// Requires: `bytes` holds at least that many.
template <typename Number>
Number take(std::string_view& bytes) noexcept {
  Number number{};
  std::memcpy(&number, bytes.data(), sizeof number);
  bytes.remove_prefix(sizeof number);
  return number;
}

bool is_kind(std::uint8_t kind) noexcept {
  return kind >= 1 && kind <= 5;
}

// Requires: `body` is as long as its head said and its checksum is right.
bool decode(std::string_view body, Record& record) noexcept {
  auto kind = take<std::uint8_t>(body);
  record.expire_at_ms = take<std::int64_t>(body);
  auto key_length = take<std::uint32_t>(body);
  if (!is_kind(kind) || key_length > body.size()) return false;
  record.kind = static_cast<Record::Kind>(kind);
  record.key = body.substr(0, key_length);
  record.value = body.substr(key_length);
  return true;
}

Entry& find_or_insert(Keyspace& keys, std::string_view key, std::uint64_t hash) {
  Entry* entry = keys.find_even_expired(key, hash);
  return entry ? *entry : keys.insert(key, hash);
}

}  // namespace

void append_record(std::string& out, const Record& record) {
  std::size_t head = out.size();
  put(out, std::uint64_t{0});  // the head, known at the end
  put(out, record.kind);
  put(out, record.expire_at_ms);
  put(out, static_cast<std::uint32_t>(record.key.size()));
  out += record.key;
  out += record.value;
  std::string_view body = std::string_view(out).substr(head + head_bytes);
  auto length = static_cast<std::uint32_t>(body.size());
  std::uint32_t sum = crc32c(body);
  std::memcpy(out.data() + head, &length, sizeof length);
  std::memcpy(out.data() + head + sizeof length, &sum, sizeof sum);
}

RecordReader::Result RecordReader::next(Record& record) noexcept {
  if (rest_.empty()) return Result::end;
  std::string_view bytes = rest_;
  if (bytes.size() < head_bytes) return Result::broken;
  auto length = take<std::uint32_t>(bytes);
  auto sum = take<std::uint32_t>(bytes);
  if (length < fixed_body_bytes || length > bytes.size()) return Result::broken;
  std::string_view body = bytes.substr(0, length);
  if (crc32c(body) != sum || !decode(body, record)) return Result::broken;
  rest_.remove_prefix(head_bytes + length);
  return Result::record;
}

Record sound_record(const char* bytes) noexcept {
  std::string_view head(bytes, head_bytes);
  auto length = take<std::uint32_t>(head);
  Record record;
  (void)decode(std::string_view(bytes + head_bytes, length), record);
  return record;
}

bool holds_a_record(std::string_view bytes) noexcept {
  for (; bytes.size() >= head_bytes + fixed_body_bytes; bytes.remove_prefix(1)) {
    // The kind's byte sorts out nearly every wrong place before a checksum is computed.
    if (!is_kind(static_cast<std::uint8_t>(bytes[head_bytes]))) continue;
    Record record;
    if (RecordReader(bytes).next(record) == RecordReader::Result::record) return true;
  }
  return false;
}

void apply(Keyspace& keys, const Record& record, std::uint64_t hash) {
  switch (record.kind) {
    case Record::Kind::set: {
      Entry& entry = find_or_insert(keys, record.key, hash);
      keys.set_value(entry, record.value);
      keys.set_expiry(entry, record.expire_at_ms);
      break;
    }
    case Record::Kind::append:
      keys.append_value(find_or_insert(keys, record.key, hash), record.value);
      break;
    case Record::Kind::erase:
      keys.erase(record.key, hash);
      break;
    case Record::Kind::expiry: {
      Entry* entry = keys.find_even_expired(record.key, hash);
      if (entry) keys.set_expiry(*entry, record.expire_at_ms);
      break;
    }
    case Record::Kind::flush:
      keys = Keyspace();
      break;
  }
}

void apply_history(std::span<const Record> newest_first, Keyspace& keys) {
  for (const Record& record : std::views::reverse(newest_first))
    apply(keys, record, hash_of(record.key));
}

}  // namespace kvd
