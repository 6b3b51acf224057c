// symbol.cpp: asking the loader, and the ABI.
#include "base/symbol.hpp"

#include <cxxabi.h>
#include <dlfcn.h>
#include <link.h>
#include <unwind.h>

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace airssys::rt::base {

namespace {

// The ABI has a frame of some 72 bytes for each character, which must not step over the guard of a
// stack (fiber/stack.hpp), and takes more as it goes down into the name.
constexpr std::size_t readable_max = 200;

std::string_view file_name(std::string_view path) noexcept {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

std::string hexadecimal(std::uintptr_t value) {
  std::array<char, 2 * sizeof value> digits{};
  const auto end = std::to_chars(digits.begin(), digits.end(), value, 16);
  return {digits.begin(), end.ptr};
}

}  // namespace

Symbol symbol_at(const void* code) {
  Dl_info info{};
  link_map* module = nullptr;
  if (::dladdr1(code, &info, reinterpret_cast<void**>(&module), RTLD_DL_LINKMAP) == 0) return {};
  Symbol symbol{.function = {},
                .module = std::string(file_name(info.dli_fname)),
                .offset = reinterpret_cast<std::uintptr_t>(code) - module->l_addr};
  if (info.dli_sname != nullptr) symbol.function = readable_name(info.dli_sname);
  return symbol;
}

const void* function_at(const void* code) noexcept {
  if (code == nullptr) return nullptr;
  // It takes a return address, which is behind the call.
  return ::_Unwind_FindEnclosingFunction(static_cast<std::byte*>(const_cast<void*>(code)) + 1);
}

std::string readable_name(const char* mangled) {
  if (std::strlen(mangled) > readable_max) return mangled;
  int status = 0;
  char* name = abi::__cxa_demangle(mangled, nullptr, nullptr, &status);
  std::string readable = status == 0 ? name : mangled;
  std::free(name);  // NOLINT(cppcoreguidelines-no-malloc): the ABI allocates it by malloc
  return readable;
}

std::string to_string(const Symbol& symbol) {
  if (symbol.module.empty()) return "?";
  const std::string place = symbol.module + "+0x" + hexadecimal(symbol.offset);
  return symbol.function.empty() ? place : symbol.function + " (" + place + ")";
}

}  // namespace airssys::rt::base
