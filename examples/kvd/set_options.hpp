// set_options.hpp: what may stand behind SET key value.
//
//   [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT unix-seconds | PXAT unix-ms | KEEPTTL]
#pragma once

#include <optional>
#include <string_view>

#include "examples/kvd/burst.hpp"
#include "examples/kvd/expire_time.hpp"

namespace kvd {

struct SetOptions {
  bool only_if_missing = false;            // NX
  bool only_if_there = false;              // XX
  bool get = false;                        // answer the old value
  bool keep_expiry = false;                // KEEPTTL
  std::optional<std::string_view> expire;  // the number behind EX and its like
  TimeUnit unit = TimeUnit::seconds;
  TimeFrom from = TimeFrom::now;
};

// `arguments` begin with key and value. Nothing when the options make no sense together.
[[nodiscard]] std::optional<SetOptions> parse_set_options(const Arguments& arguments);

}  // namespace kvd
