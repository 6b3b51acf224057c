// symbol_test.cpp: an address in code is told by function, module and offset.
//
// Method: a function of the C library, whose name is exported, and one of this program, whose name
// is not.
#include "base/symbol.hpp"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <string>
#include <typeinfo>

namespace airssys::rt::base::symbol_test {
namespace {

[[gnu::noinline]] const void* here() {
  return __builtin_extract_return_addr(__builtin_return_address(0));
}
[[gnu::noinline]] const void* address_in_this() {
  const void* address = here();
  asm volatile("");  // no tail call
  return address;
}

TEST(Symbol, an_exported_function_has_its_name) {
  const Symbol symbol = symbol_at(::dlsym(RTLD_DEFAULT, "_ZSt9terminatev"));
  EXPECT_EQ(symbol.function, "std::terminate()");
  EXPECT_TRUE(symbol.module.starts_with("libstdc++")) << symbol.module;
  EXPECT_EQ(to_string(symbol).substr(0, 18), "std::terminate() (");
}

TEST(Symbol, what_is_not_exported_is_told_by_module_and_offset) {
  const Symbol first = symbol_at(address_in_this());
  const Symbol later = symbol_at(static_cast<const char*>(address_in_this()) + 1);
  EXPECT_EQ(first.module, "base_tests");
  EXPECT_EQ(later.offset, first.offset + 1);
  EXPECT_NE(to_string(first).find("base_tests+0x"), std::string::npos) << to_string(first);
}

TEST(Symbol, an_address_of_nobody_is_no_symbol) {
  const int local = 0;
  EXPECT_EQ(symbol_at(&local).module, "");
  EXPECT_EQ(to_string(symbol_at(nullptr)), "?");
  EXPECT_EQ(function_at(nullptr), nullptr);
}

TEST(Symbol, an_address_leads_to_the_function_it_lies_in) {
  EXPECT_EQ(function_at(address_in_this()), reinterpret_cast<const void*>(&address_in_this));
  const auto* const first = reinterpret_cast<const void*>(&here);
  EXPECT_EQ(function_at(first), first);
}

TEST(Symbol, a_mangled_name_becomes_readable_and_others_stay) {
  EXPECT_EQ(readable_name(typeid(Symbol).name()), "airssys::rt::base::Symbol");
  EXPECT_EQ(readable_name("main"), "main");
  const std::string longest = std::string("_Z194").append(194, 'f').append("v");
  EXPECT_EQ(readable_name(longest.c_str()), std::string(194, 'f').append("()"));
  const std::string too_long = std::string("_Z195").append(195, 'f').append("v");
  EXPECT_EQ(readable_name(too_long.c_str()), too_long);
}

}  // namespace
}  // namespace airssys::rt::base::symbol_test
