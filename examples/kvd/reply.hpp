// reply.hpp: writes RESP2, the protocol's answers, to the end of a string.
//
// Replies are appended, never returned: a burst of a thousand commands fills one buffer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace kvd {

void append_simple(std::string& out, std::string_view text);  // +OK
void append_integer(std::string& out, std::int64_t value);    // :1
void append_bulk(std::string& out, std::string_view bytes);   // $3 abc
void append_null(std::string& out);                           // $-1
void append_array(std::string& out, std::size_t length);      // *2, then that many replies

// `text` begins with its code ("ERR ..."). Line breaks in it become spaces: it may quote a client.
void append_error(std::string& out, std::string_view text);

// How much of a client's words an error quotes: as in Redis they end at a zero byte.
[[nodiscard]] std::string_view quotable(std::string_view text, std::size_t length_max) noexcept;

// ERR wrong number of arguments for 'get' command
void append_arity_error(std::string& out, std::string_view command);

// Texts that several commands share.
inline constexpr std::string_view not_an_integer = "ERR value is not an integer or out of range";
inline constexpr std::string_view syntax_error = "ERR syntax error";

}  // namespace kvd
