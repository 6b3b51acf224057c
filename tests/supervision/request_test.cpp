// request_test.cpp: replies that are fetched later, and one request to many servers (G9, G21).
// Method: servers that answer at once, when they are told to, or never.
#include <airssys/rt/request.hpp>

#include <vector>

#include "tests/supervision/support.hpp"

namespace airssys::rt::test {
namespace {

WITH_SCHEDULERS(RequestTest);

// Answers an Ask once it has been released.
struct Teller : Server<Teller> {
  struct Ask {
    using Reply = int;
  };
  struct Release {
    using Reply = void;
  };
  explicit Teller(int number, bool is_free = true) : number_(number), is_free_(is_free) {}
  void handle(Ask, From<int> from) {
    callers_.push_back(std::move(from));
    if (is_free_) tell();
  }
  void handle(Release) {
    is_free_ = true;
    tell();
  }

 private:
  void tell() {
    for (From<int>& caller : callers_) caller.reply(number_);
    callers_.clear();
  }

  int number_;
  bool is_free_;
  std::vector<From<int>> callers_;
};

TEST_P(RequestTest, a_reply_is_fetched_when_it_is_wanted) {
  run([] {
    PendingReply<int> first = send_request(start_link<Teller>(1), Teller::Ask{});
    PendingReply<int> second = send_request(start_link<Teller>(2), Teller::Ask{});
    EXPECT_EQ(second.get(), 2);
    EXPECT_EQ(first.get(), 1);
    EXPECT_THROW(first.get(), BadArgument) << "it is fetched once";
  });
}

TEST_P(RequestTest, a_wait_that_was_in_vain_may_be_repeated) {
  run([] {
    ServerRef<Teller> teller = start_link<Teller>(7, false);
    PendingReply<int> reply = send_request(teller, Teller::Ask{});
    EXPECT_FALSE(reply.wait(0ms));
    EXPECT_FALSE(reply.wait(1ms));
    call(teller, Teller::Release{});
    EXPECT_EQ(reply.wait(patience).value().value(), 7);
  });
}

TEST_P(RequestTest, a_reply_that_was_given_up_never_appears) {
  run([] {
    ServerRef<Teller> teller = start_link<Teller>(7, false);
    {
      PendingReply<int> dropped = send_request(teller, Teller::Ask{});
    }
    PendingReply<int> reply = send_request(teller, Teller::Ask{});
    EXPECT_EQ(reply.try_get(1ms).error().kind(), CallError::timeout);
    call(teller, Teller::Release{});
    EXPECT_TRUE(nothing_came<Message>());
  });
}

TEST_P(RequestTest, a_failure_shows_when_the_reply_is_fetched) {
  run([] {
    PendingReply<int> nobody = send_request(server_ref<Teller>("nobody"), Teller::Ask{});
    EXPECT_EQ(nobody.try_get().error().kind(), CallError::noproc);
    ServerRef<Teller> teller = start_link<Teller>(7, false);
    PendingReply<int> reply = send_request(teller, Teller::Ask{});
    stop(teller, ExitReason::shutdown("enough"));
    std::expected<int, CallError> result = reply.wait(patience).value();
    EXPECT_EQ(result.error().kind(), CallError::exited);
    EXPECT_EQ(result.error().reason(), ExitReason::shutdown("enough"));
  });
}

TEST_P(RequestTest, many_servers_are_asked_at_once_and_fail_each_by_itself) {
  run([] {
    std::vector<ServerRef<Teller>> tellers;
    for (int i = 0; i < 10; ++i) tellers.push_back(start_link<Teller>(i, i != 3));
    stop(tellers[5]);
    auto replies = multi_call(tellers, Teller::Ask{}, 10ms);
    for (int i = 0; i < 10; ++i) {
      const auto& reply = replies[static_cast<std::size_t>(i)];
      if (i == 3) {
        EXPECT_EQ(reply.error().kind(), CallError::timeout);
      } else if (i == 5) {
        EXPECT_EQ(reply.error().kind(), CallError::noproc);
      } else if (reply) {
        EXPECT_EQ(*reply, i);
      } else {
        EXPECT_EQ(reply.error().kind(), CallError::timeout) << "a slow machine";
      }
    }
    call(tellers[3], Teller::Release{});
    next<Exit>();  // of the fifth
    EXPECT_TRUE(nothing_came<Message>()) << "late replies are dropped";
  });
}

// --- several requests at once (G9) ---

TEST_P(RequestTest, replies_are_taken_in_the_order_in_which_they_come) {
  run([] {
    std::vector<ServerRef<Teller>> tellers;
    PendingReplies<int> replies;
    for (int i = 0; i < 3; ++i) {
      tellers.push_back(start_link<Teller>(i, false));
      replies.send(tellers.back(), Teller::Ask{}, static_cast<std::size_t>(i));
    }
    EXPECT_FALSE(replies.wait(0ms));
    EXPECT_EQ(replies.size(), 3U);
    send(self(), std::string("other mail"));
    for (std::size_t next : {2U, 0U, 1U}) {
      call(tellers[next], Teller::Release{});
      auto arrived = replies.wait(patience);
      ASSERT_TRUE(arrived);
      EXPECT_EQ(arrived->label, next);
      EXPECT_EQ(arrived->reply.value(), static_cast<int>(next));
    }
    EXPECT_TRUE(replies.empty());
    EXPECT_THROW(replies.wait(0ms), BadArgument);
    EXPECT_FALSE(nothing_came<std::string>());
  });
}

TEST_P(RequestTest, a_failure_is_a_reply_of_its_own) {
  run([] {
    ServerRef<Teller> dying = start<Teller>(1, false);
    PendingReplies<int, std::string> replies;
    replies.send(ServerRef<Teller>(), Teller::Ask{}, "nobody");
    replies.send(dying, Teller::Ask{}, "dying");
    replies.send(start_link<Teller>(7), Teller::Ask{}, "fine");
    stop(dying, ExitReason::shutdown());
    for (int i = 0; i < 3; ++i) {
      auto arrived = replies.wait(patience);
      ASSERT_TRUE(arrived);
      if (arrived->label == "fine") {
        EXPECT_EQ(arrived->reply.value(), 7);
      } else {
        EXPECT_EQ(arrived->reply.error().kind(),
                  arrived->label == "dying" ? CallError::exited : CallError::noproc);
      }
    }
  });
}

TEST_P(RequestTest, what_is_left_in_a_collection_is_given_up) {
  run([] {
    ServerRef<Teller> teller = start_link<Teller>(1, false);
    {
      PendingReplies<int> replies;
      replies.send(teller, Teller::Ask{}, 0);
    }
    call(teller, Teller::Release{});
    EXPECT_EQ(call(teller, Teller::Ask{}), 1);
    EXPECT_EQ(process_info(self())->message_queue_len, 0U);
  });
}

}  // namespace
}  // namespace airssys::rt::test
