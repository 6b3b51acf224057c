// servers_requests_test.cpp: casts, requests whose replies are fetched later, and many at once (G9,
// G21).
//
// Method: servers that answer at once, when they are told to, or never; what is given up must leave
// no reply behind, whenever that comes.
#include <airssys/rt.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/semantics/servers.hpp"

namespace airssys::rt::semantics::servers_requests_test {
namespace {

using namespace std::chrono_literals;

class RequestRules : public ServerRules {};
RT_WITH_SCHEDULERS(RequestRules);

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

ServerRef<Teller> free_teller(int number) {
  return start_link<Teller>(number);
}
ServerRef<Teller> closed_teller(int number) {
  return start_link<Teller>(number, false);
}

// G9
TEST_P(RequestRules, a_cast_never_fails_and_is_handled_in_its_senders_order) {
  run([] {
    const ServerRef<Told> told = start_told();
    cast(server_ref<Told>(spawn_dead()), Told::Do{"lost"});
    cast(server_ref<Told>("nobody"), Told::Do{"lost"});
    for (int i = 0; i < 3; ++i) cast(told, Told::Do{std::to_string(i)});
    EXPECT_EQ(said(3), "0, 1, 2");
    stop(told);
    EXPECT_EQ(said(2), "terminate normal, destroyed");
    cast(told, Told::Do{"late"});
    exit_of(told.pid());
    EXPECT_EQ(rest_of_mail(), "");
  });
}

// G9
TEST_P(RequestRules, a_reply_is_fetched_when_it_is_wanted_in_any_order) {
  run([] {
    std::vector<PendingReply<int>> replies;
    for (int i = 0; i < 10; ++i) replies.push_back(send_request(free_teller(i), Teller::Ask{}));
    send(self(), std::string("other mail"));
    for (int i = 9; i >= 0; --i) EXPECT_EQ(replies[static_cast<std::size_t>(i)].get(), i);
    EXPECT_EQ(receive<std::string>(), "other mail");
    EXPECT_EQ(rest_of_mail(), "");
  });
}

// G9
TEST_P(RequestRules, a_wait_in_vain_keeps_the_request_and_a_get_in_vain_gives_it_up) {
  run([] {
    const ServerRef<Teller> teller = closed_teller(7);
    PendingReply<int> kept = send_request(teller, Teller::Ask{});
    PendingReply<int> abandoned = send_request(teller, Teller::Ask{});
    EXPECT_FALSE(kept.wait(0ms));
    EXPECT_FALSE(kept.wait(1ms));
    EXPECT_EQ(failure_of(abandoned.try_get(1ms)), CallError::timeout);
    EXPECT_THROW(abandoned.wait(0ms), BadArgument);
    call(teller, Teller::Release{});
    EXPECT_EQ(kept.wait(0ms).value(), 7);
    EXPECT_THROW(kept.wait(0ms), BadArgument) << "it is fetched once";
    EXPECT_EQ(rest_of_mail(), "");
  });
}

// G9
TEST_P(RequestRules, failures_are_answered_and_end_nobody) {
  run([] {
    const ServerRef<Teller> teller = closed_teller(7);
    PendingReply<int> to_nobody = send_request(server_ref<Teller>("nobody"), Teller::Ask{});
    PendingReply<int> to_dead = send_request(server_ref<Teller>(spawn_dead()), Teller::Ask{});
    PendingReply<int> to_self = send_request(server_ref<Teller>(self()), Teller::Ask{});
    PendingReply<int> to_stranger =
        send_request(server_ref<Teller>(start_told().pid()), Teller::Ask{});
    PendingReply<int> to_stopped = send_request(teller, Teller::Ask{});
    stop(teller, ExitReason::of(5));
    EXPECT_EQ(failure_of(to_nobody.wait(infinite).value()), CallError::noproc);
    EXPECT_EQ(failure_of(to_dead.wait(infinite).value()), CallError::noproc);
    EXPECT_EQ(failure_of(to_self.wait(infinite).value()), CallError::calling_self);
    EXPECT_EQ(failure_of(to_stranger.wait(infinite).value()), CallError::wrong_type);
    EXPECT_EQ(reason_of(to_stopped.wait(infinite).value()), ExitReason::of(5));
  });
}

// G9
TEST_P(RequestRules, what_is_given_up_never_answers) {
  run([] {
    const ServerRef<Teller> teller = closed_teller(7);
    for (const std::size_t i : support::rounds()) {
      {
        const PendingReply<int> dropped = send_request(teller, Teller::Ask{});
        if (i % 2) yield();
      }
      if (i % 3 == 0) call(teller, Teller::Release{});
    }
    call(teller, Teller::Release{});
    EXPECT_EQ(rest_of_mail(), "");
    {
      const PendingReply<int> dropped = send_request(teller, Teller::Ask{});
      call(teller, Teller::Release{});  // whose reply has come behind the other one
    }
    EXPECT_EQ(rest_of_mail(), "");
    EXPECT_TRUE(process_info(self())->monitors.empty());
  });
}

// A server takes its mail itself, so it asks of each message whether it is a reply.
struct Asker : Server<Asker> {
  struct Begin {
    using Reply = int;
  };
  struct BeginMany {
    using Reply = int;
  };

  Asker(Pid tester, std::vector<ServerRef<Teller>> tellers)
      : tester_(tester), tellers_(std::move(tellers)) {}
  void handle(Begin, From<int> from) {
    caller_ = std::move(from);
    pending_.emplace(send_request(tellers_.at(0), Teller::Ask{}));
  }
  void handle(BeginMany, From<int> from) {
    caller_ = std::move(from);
    many_ = std::make_unique<PendingReplies<int>>();
    for (std::size_t i = 0; i < tellers_.size(); ++i) many_->send(tellers_[i], Teller::Ask{}, i);
  }
  void handle_info(Message& message) {
    if (pending_) {
      if (auto reply = pending_->check(message)) {
        pending_.reset();
        return caller_.reply(reply->value_or(-1));
      }
    }
    if (many_) {
      if (auto arrived = many_->check(message)) {
        sum_ += arrived->reply.value_or(-1000);
        if (many_->empty()) caller_.reply(sum_);
        return;
      }
    }
    send(tester_, Said{"info"});
  }

 private:
  Pid tester_;
  std::vector<ServerRef<Teller>> tellers_;
  From<int> caller_;
  std::optional<PendingReply<int>> pending_;
  std::unique_ptr<PendingReplies<int>> many_;
  int sum_ = 0;
};

// G9
TEST_P(RequestRules, who_takes_its_messages_itself_recognizes_its_replies) {
  run([] {
    const ServerRef<Teller> teller = closed_teller(7);
    const ServerRef<Asker> asker = start_link<Asker>(self(), std::vector{teller});
    PendingReply<int> answer = send_request(asker, Asker::Begin{});
    send(asker.pid(), Said{"a stray message"});
    EXPECT_EQ(said(), "info");
    EXPECT_FALSE(answer.wait(0ms));
    call(teller, Teller::Release{});
    EXPECT_EQ(answer.get(), 7);
    stop(teller);
    EXPECT_EQ(call(asker, Asker::Begin{}), -1) << "a failure is recognized, too";
    EXPECT_EQ(process_info(asker.pid())->message_queue_len, 0U);
  });
}

// G9
TEST_P(RequestRules, who_takes_its_messages_itself_recognizes_replies_of_a_collection) {
  run([] {
    const std::vector tellers{closed_teller(1), free_teller(20), ServerRef<Teller>()};
    const ServerRef<Asker> asker = start_link<Asker>(self(), tellers);
    PendingReply<int> sum = send_request(asker, Asker::BeginMany{});
    send(asker.pid(), Said{"a stray message"});
    EXPECT_EQ(said(), "info");
    EXPECT_FALSE(sum.wait(0ms));
    call(tellers[0], Teller::Release{});
    EXPECT_EQ(sum.get(), 1 + 20 - 1000);
  });
}

// G9
TEST_P(RequestRules, a_server_that_ends_gives_up_what_it_has_asked) {
  run([] {
    for (const std::size_t i : support::rounds()) {
      const std::vector tellers{free_teller(1), closed_teller(2), free_teller(3)};
      const ServerRef<Asker> asker = start_link<Asker>(self(), tellers);
      PendingReply<int> one = send_request(asker, Asker::Begin{});
      PendingReply<int> sum = send_request(asker, Asker::BeginMany{});
      if (i % 2) yield();
      support::stagger(i);
      if (i % 3) {
        send_exit(asker.pid(), ExitReason::kill());
      } else {
        stop(asker);
      }
      exit_of(asker.pid());
      for (const ServerRef<Teller> teller : tellers) {
        ASSERT_TRUE(process_info(teller.pid())->monitored_by.empty());
        stop(teller);
        exit_of(teller.pid());
      }
    }
  });
}

// G9
TEST_P(RequestRules, replies_of_a_collection_come_in_the_order_of_their_completion) {
  run([] {
    std::vector<ServerRef<Teller>> tellers;
    PendingReplies<int> replies;
    EXPECT_EQ(replies.wait(infinite).error(), NoReply::no_request);
    for (int i = 0; i < 4; ++i) {
      tellers.push_back(closed_teller(i));
      replies.send(tellers.back(), Teller::Ask{}, static_cast<std::size_t>(i));
    }
    EXPECT_EQ(replies.wait(0ms).error(), NoReply::timeout);
    EXPECT_EQ(replies.wait(1ms).error(), NoReply::timeout);
    EXPECT_EQ(replies.size(), 4U) << "all are kept";
    for (const std::size_t next : {2U, 0U, 3U, 1U}) {
      call(tellers[next], Teller::Release{});
      const auto arrived = replies.wait(infinite);
      ASSERT_TRUE(arrived);
      EXPECT_EQ(arrived->label, next);
      EXPECT_EQ(arrived->reply, static_cast<int>(next));
    }
    EXPECT_TRUE(replies.empty());
    EXPECT_EQ(replies.wait(0ms).error(), NoReply::no_request);
    EXPECT_EQ(rest_of_mail(), "");
  });
}

// G9
TEST_P(RequestRules, a_failure_in_a_collection_has_the_label_of_its_request) {
  run([] {
    const ServerRef<Teller> dying = closed_teller(1);
    PendingReplies<int, std::string> replies;
    replies.send(ServerRef<Teller>(), Teller::Ask{}, "nobody");
    replies.send(dying, Teller::Ask{}, "dying");
    stop(dying, ExitReason::of(5));
    while (!replies.empty()) {
      const auto arrived = replies.wait().value();
      EXPECT_EQ(reason_of(arrived.reply),
                arrived.label == "dying" ? ExitReason::of(5) : ExitReason::noproc());
    }
  });
}

// G9
TEST_P(RequestRules, what_is_left_in_a_collection_is_given_up) {
  run([] {
    const ServerRef<Teller> teller = closed_teller(1);
    for (const std::size_t i : support::rounds()) {
      PendingReplies<int> replies;
      for (std::size_t k = 0; k < 5; ++k) replies.send(teller, Teller::Ask{}, k);
      if (i % 2) yield();
      support::stagger(i);
      if (i % 3) static_cast<void>(replies.wait(0ms));
    }
    call(teller, Teller::Release{});
    EXPECT_EQ(rest_of_mail(), "");
    EXPECT_TRUE(process_info(self())->monitors.empty());
  });
}

// --- many at once ---

// G21
TEST_P(RequestRules, many_are_asked_at_once_and_fail_each_by_itself) {
  run([] {
    std::vector<ServerRef<Teller>> tellers;
    for (int i = 0; i < 10; ++i) tellers.push_back(i == 3 ? closed_teller(i) : free_teller(i));
    stop(tellers[5], ExitReason::of(1));
    tellers[6] = server_ref<Teller>(start_told().pid());
    auto all_but_one = tellers;
    all_but_one.erase(all_but_one.begin() + 3);
    const auto replies = multi_call(all_but_one, Teller::Ask{}, infinite);
    ASSERT_EQ(replies.size(), 9U);
    for (int i = 0; i < 10; ++i) {
      if (i == 3) continue;
      const auto& reply = replies[static_cast<std::size_t>(i < 3 ? i : i - 1)];
      if (i == 5) {
        EXPECT_EQ(failure_of(reply), CallError::noproc);
      } else if (i == 6) {
        EXPECT_EQ(failure_of(reply), CallError::wrong_type);
      } else {
        EXPECT_EQ(reply, i) << "the servers' order";
      }
    }
    EXPECT_TRUE(multi_call(std::vector<ServerRef<Teller>>(), Teller::Ask{}).empty());
  });
}

// The servers that do not answer share one time-out: with one each it would take a minute.
// G21
TEST_P(RequestRules, all_share_one_time_out_and_late_replies_never_appear) {
  run([] {
    std::vector<ServerRef<Teller>> tellers;
    for (int i = 0; i < 600; ++i) tellers.push_back(closed_teller(i));
    const Deadline begin = Deadline::now();
    const auto replies = multi_call(tellers, Teller::Ask{}, 100ms);
    const Duration passed(Deadline::now().ns() - begin.ns());
    EXPECT_GE(passed, 100ms);
    EXPECT_LT(passed, 30s);
    for (const auto& reply : replies) EXPECT_EQ(failure_of(reply), CallError::timeout);
    for (const ServerRef<Teller> teller : tellers) call(teller, Teller::Release{}, infinite);
    EXPECT_EQ(rest_of_mail(), "");
    EXPECT_TRUE(process_info(self())->monitors.empty());
  });
}

// G21
TEST_P(RequestRules, replies_that_race_with_the_shared_time_out_are_answered_or_dropped) {
  run([] {
    struct Slow : Server<Slow> {
      struct Ask {
        using Reply = int;
      };
      explicit Slow(int step) : step_(step) {}
      int handle(Ask) {
        sleep(std::chrono::microseconds(20 * (round_++ % step_)));
        return step_;
      }
      int step_;
      int round_ = 0;
    };
    std::vector<ServerRef<Slow>> servers;
    for (int i = 1; i <= 5; ++i) servers.push_back(start_link<Slow>(i));
    for (const std::size_t i : support::rounds()) {
      const auto replies =
          multi_call(servers, Slow::Ask{}, std::chrono::microseconds(20 * (i % 9)));
      for (std::size_t k = 0; k < replies.size(); ++k) {
        if (replies[k]) {
          ASSERT_EQ(*replies[k], static_cast<int>(k + 1));
        } else {
          ASSERT_EQ(replies[k].error().kind(), CallError::timeout);
        }
      }
    }
    for (const ServerRef<Slow> server : servers) call(server, Slow::Ask{}, infinite);
    EXPECT_EQ(rest_of_mail(), "");
  });
}

}  // namespace
}  // namespace airssys::rt::semantics::servers_requests_test
