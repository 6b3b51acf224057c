// glob.hpp: patterns of KEYS and SCAN MATCH.
//
// `*` any run, `?` one byte, `[abc]` `[a-z]` `[^a]` a set, `\` the next byte as it is. Bytes, not
// characters: keys have no encoding. The work is at most pattern times text: a failed match goes
// back to the last star only, because an earlier star cannot help where a later one did not.
#pragma once

#include <string_view>

namespace kvd {

[[nodiscard]] bool glob_matches(std::string_view pattern, std::string_view text) noexcept;

}  // namespace kvd
