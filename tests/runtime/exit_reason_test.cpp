// exit_reason_test.cpp: why a process ended: compared by value, printed the same everywhere (Z15).
//
// Plain values: no runtime is started.
#include <gtest/gtest.h>
#include <airssys/rt/exit_reason.hpp>
#include <string>
#include <string_view>
#include <utility>

namespace airssys::rt::exit_reason_test {
namespace {

struct Broken {
  int part;
  std::string to_string() const { return "part " + std::to_string(part) + " is broken"; }
  friend bool operator==(const Broken&, const Broken&) = default;
};
struct Silent {
  friend bool operator==(const Silent&, const Silent&) = default;
};

// Z15
TEST(ExitReason, prints_as_its_kind_says) {
  EXPECT_EQ(ExitReason().to_string(), "normal");
  EXPECT_EQ(ExitReason::shutdown().to_string(), "shutdown");
  EXPECT_EQ(ExitReason::shutdown("update").to_string(), "shutdown: update");
  EXPECT_EQ(ExitReason::kill().to_string(), "kill");
  EXPECT_EQ(ExitReason::killed().to_string(), "killed");
  EXPECT_EQ(ExitReason::noproc().to_string(), "noproc");
  EXPECT_EQ(ExitReason::timeout().to_string(), "timeout");
}

// Z15
TEST(ExitReason, an_error_prints_type_and_words_as_far_as_it_has_them) {
  EXPECT_EQ(ExitReason::error("std::runtime_error", "boom").to_string(),
            "error: std::runtime_error: boom");
  EXPECT_EQ(ExitReason::error("boom").to_string(), "error: boom");
  EXPECT_EQ(ExitReason::error("nocatch", "").to_string(), "error: nocatch");
}

TEST(ExitReason, a_value_prints_by_itself_as_text_as_a_number_or_by_its_type) {
  EXPECT_EQ(ExitReason::of(Broken{3}).to_string(), "part 3 is broken");
  EXPECT_EQ(ExitReason::of(std::string("text")).to_string(), "text");
  EXPECT_EQ(ExitReason::of(7).to_string(), "7");
  EXPECT_NE(ExitReason::of(Silent{}).to_string().find("Silent"), std::string::npos);
}

TEST(ExitReason, words_can_be_asked_for) {
  const ExitReason error = ExitReason::error("Type", "what");
  EXPECT_EQ(error.type(), "Type");
  EXPECT_EQ(error.what(), "what");
  EXPECT_EQ(ExitReason::shutdown("why").what(), "why");
  EXPECT_EQ(ExitReason::shutdown("why").type(), "");
  EXPECT_EQ(ExitReason::killed().what(), "");
  EXPECT_EQ(ExitReason::of(7).what(), "");
}

TEST(ExitReason, a_value_is_given_back_to_who_knows_its_type) {
  const ExitReason reason = ExitReason::of(Broken{3});
  ASSERT_NE(reason.value<Broken>(), nullptr);
  EXPECT_EQ(reason.value<Broken>()->part, 3);
  EXPECT_EQ(reason.value<int>(), nullptr);
  EXPECT_EQ(ExitReason::error("x").value<int>(), nullptr);
}

// X16
TEST(ExitReason, a_shutdown_takes_any_value_too) {
  const ExitReason reason = ExitReason::shutdown(Broken{3});
  EXPECT_TRUE(reason.is_orderly());
  EXPECT_EQ(reason.to_string(), "shutdown: part 3 is broken");
  ASSERT_NE(reason.value<Broken>(), nullptr);
  EXPECT_EQ(reason.value<Broken>()->part, 3);
  EXPECT_EQ(reason.what(), "");
  EXPECT_EQ(reason, ExitReason::shutdown(Broken{3}));
  EXPECT_NE(reason, ExitReason::of(Broken{3}));
  EXPECT_NE(reason, ExitReason::shutdown(7));
}

template <class T>
concept CanBeReason = requires(T value) { ExitReason::of(value); };
static_assert(CanBeReason<std::string_view> && CanBeReason<const char*> && !CanBeReason<int*>);

// P5
TEST(ExitReason, text_is_kept_and_no_pointer_to_it) {
  std::string text = "worn";
  const ExitReason reason = ExitReason::of(text.c_str());
  const ExitReason of_view = ExitReason::of(std::string_view(text));
  text = "torn";
  EXPECT_EQ(reason, ExitReason::of("worn"));
  EXPECT_EQ(of_view, reason);
  EXPECT_EQ(*reason.value<std::string>(), "worn");
}

TEST(ExitReason, reasons_compare_by_value) {
  EXPECT_EQ(ExitReason(), ExitReason::normal());
  EXPECT_EQ(ExitReason::error("a", "b"), ExitReason::error("a", "b"));
  EXPECT_NE(ExitReason::error("a", "b"), ExitReason::error("a", "c"));
  EXPECT_NE(ExitReason::shutdown(), ExitReason::shutdown("now"));
  EXPECT_NE(ExitReason::kill(), ExitReason::killed());
  EXPECT_EQ(ExitReason::of(7), ExitReason::of(7));
  EXPECT_NE(ExitReason::of(7), ExitReason::of(8));
  EXPECT_NE(ExitReason::of(7), ExitReason::of(7L));
}

TEST(ExitReason, normal_and_shutdown_are_orderly) {
  EXPECT_TRUE(ExitReason::normal().is_orderly());
  EXPECT_TRUE(ExitReason::shutdown().is_orderly());
  EXPECT_TRUE(ExitReason::shutdown("x").is_orderly());
  EXPECT_FALSE(ExitReason::killed().is_orderly());
  EXPECT_FALSE(ExitReason::of(7).is_orderly());
}

TEST(ExitReason, copies_share_and_moves_leave_normal) {
  ExitReason a = ExitReason::error("x", "y");
  ExitReason b = a;
  EXPECT_EQ(a, b);
  const ExitReason c = std::move(a);
  EXPECT_EQ(c, b);
  // NOLINTNEXTLINE(bugprone-use-after-move): what a move leaves is documented.
  EXPECT_EQ(a, ExitReason::normal());
  b = ExitReason::kill();
  EXPECT_EQ(b, ExitReason::kill());
  EXPECT_EQ(c.what(), "y");
}

}  // namespace
}  // namespace airssys::rt::exit_reason_test
