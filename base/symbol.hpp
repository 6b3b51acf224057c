// symbol.hpp: what a program says of an address in its code.
//
// The name comes from the dynamic symbols, so a program that is to be read without its debug
// information links with -rdynamic; the offset always is what `addr2line -e module` takes.
#pragma once

#include <cstdint>
#include <string>

namespace airssys::rt::base {

struct Symbol {
  std::string function;       // as a person writes it; empty: nothing exported lies there
  std::string module;         // file name of the program or library; empty: nobody's code
  std::uintptr_t offset = 0;  // in that file
};

/// Of an address in code. May allocate and take the loader's lock; any thread.
[[nodiscard]] Symbol symbol_at(const void* code);

/// Where the function begins that an address in code lies in, as the unwind tables say; null: in
/// none. Neither allocates nor locks.
[[nodiscard]] const void* function_at(const void* code) noexcept;

/// A name that the compiler has mangled as a person writes it; others stay as they are, and those
/// of more than 200 characters.
[[nodiscard]] std::string readable_name(const char* mangled);

/// "function (module+0x1a2b)", or what of it is known.
[[nodiscard]] std::string to_string(const Symbol& symbol);

}  // namespace airssys::rt::base
