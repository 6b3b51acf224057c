// exit_reason.cpp: the words of an error, and how every reason prints (Z15).
#include <airssys/rt/exit_reason.hpp>
#include <exception>

namespace airssys::rt {

// Type and what() of an error; either may be empty.
struct ExitReason::Words final : Detail {
  std::string type;
  std::string what;

  Words(std::string of_type, std::string of_what)
      : Detail(nullptr), type(std::move(of_type)), what(std::move(of_what)) {}

  // Only reasons of one kind are compared, so the other is an error's too.
  bool equals(const Detail& other) const override {
    const auto& words = static_cast<const Words&>(other);
    return words.type == type && words.what == what;
  }
  std::string text() const override {
    return type.empty() || what.empty() ? type + what : type + ": " + what;
  }
};

ExitReason ExitReason::error(std::string type, std::string what) {
  return ExitReason(Kind::error, new Words(std::move(type), std::move(what)));
}

// Whoever prints a reason was not told to expect what another's to_string() throws.
std::string ExitReason::text() const {
  try {
    return detail()->text();
  } catch (const std::exception& error) {
    return std::string("its to_string() threw ") + error.what();
  }
}

std::string ExitReason::to_string() const {
  switch (kind()) {
    case Kind::normal:
      return "normal";
    case Kind::shutdown:
      return "shutdown";
    case Kind::shutdown_with:
      return "shutdown: " + text();
    case Kind::kill:
      return "kill";
    case Kind::killed:
      return "killed";
    case Kind::noproc:
      return "noproc";
    case Kind::timeout:
      return "timeout";
    case Kind::error:
      return "error: " + text();
    case Kind::value:
      return text();
  }
  return "?";
}

std::string_view ExitReason::type() const noexcept {
  return kind() == Kind::error ? static_cast<const Words*>(detail())->type : std::string_view();
}

std::string_view ExitReason::what() const noexcept {
  if (kind() == Kind::error) return static_cast<const Words*>(detail())->what;
  const auto* words = kind() == Kind::shutdown_with ? value<std::string>() : nullptr;
  return words ? *words : std::string_view();
}

}  // namespace airssys::rt
