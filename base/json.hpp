// json.hpp: writes JSON, and nothing else.
//
// The library depends on no JSON library for it: it only ever writes. The caller opens and closes
// in the right order; commas are the writer's business. Text that is not UTF-8 is mended, and long
// text is cut: a process's name is whatever its program says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace airssys::rt::base {

class JsonWriter {
 public:
  JsonWriter& begin_object() { return begin('{'); }
  JsonWriter& end_object() { return end('}'); }
  JsonWriter& begin_array() { return begin('['); }
  JsonWriter& end_array() { return end(']'); }

  // The name of the next value, inside an object.
  JsonWriter& key(std::string_view name);

  JsonWriter& text(std::string_view value);
  JsonWriter& number(std::uint64_t value);
  JsonWriter& boolean(bool value);
  JsonWriter& null();

  std::size_t bytes() const noexcept { return out_.size(); }
  std::string take() { return std::exchange(out_, {}); }

  static constexpr std::size_t text_bytes_max = 1024;

 private:
  JsonWriter& begin(char bracket);
  JsonWriter& end(char bracket);
  JsonWriter& plain(std::string_view value);
  void separate();
  void quote(std::string_view value);

  std::string out_;
  bool needs_comma_ = false;
};

}  // namespace airssys::rt::base
