// forked_children_test.cpp: what a child made by fork may do with its parent's runtime: nothing,
// and it learns so at once. Method: real forks, from processes and from plain threads; the child's
// stderr comes through a pipe, its end by waitpid.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <airssys/rt.hpp>
#include <airssys/rt/io.hpp>
#include <array>
#include <csignal>
#include <functional>
#include <optional>
#include <string>

#include "fiber/sanitizer.hpp"
#include "system/host_hooks.hpp"
#include "tests/support/in_runtime.hpp"

namespace airssys::rt {
namespace {

using namespace std::chrono_literals;

struct Child {
  int status = 0;
  std::string said;

  bool was_refused() const {
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT &&
           said.find("a child made by fork cannot use its parent's runtime") != std::string::npos;
  }
  std::optional<int> code() const {
    return WIFEXITED(status) ? std::optional(WEXITSTATUS(status)) : std::nullopt;
  }
};

// Forks; the child calls `act` and leaves with 7 if that returns. One that hangs is ended by an
// alarm, which counts as a failure of every test.
Child fork_and(const std::function<void()>& act) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) return {};
  const pid_t pid = fork();
  if (pid == 0) {
    alarm(60);
    dup2(ends[1], STDERR_FILENO);
    act();
    _exit(7);
  }
  close(ends[1]);
  Child child;
  std::array<char, 256> buffer{};
  while (const ssize_t bytes = read(ends[0], buffer.data(), buffer.size())) {
    if (bytes < 0) break;
    child.said.append(buffer.data(), static_cast<std::size_t>(bytes));
  }
  close(ends[0]);
  waitpid(pid, &child.status, 0);
  return child;
}

class ForkedChildren : public support::InRuntime {
 protected:
  ForkedChildren() { options.forked_children = HostHook::on; }
};
RT_WITH_SCHEDULERS(ForkedChildren);

TEST_P(ForkedChildren, of_a_process_are_refused_at_their_first_verb) {
  run([] {
    const Pid me = self();
    EXPECT_TRUE(fork_and([me] { rt::send(me, 1); }).was_refused());
    EXPECT_TRUE(fork_and([] { rt::sleep(1h); }).was_refused());
    EXPECT_TRUE(fork_and([] { rt::spawn([] {}); }).was_refused());
    EXPECT_TRUE(fork_and([] { rt::receive<int>(); }).was_refused());
    EXPECT_TRUE(fork_and([] { static_cast<void>(self()); }).was_refused());
  });
}

TEST_P(ForkedChildren, of_a_process_are_refused_when_they_return_from_its_body) {
  with_runtime([](Runtime& runtime) {
    std::array<int, 2> ends{};
    ASSERT_EQ(pipe(ends.data()), 0);
    pid_t child = 0;
    runtime.run([&] {
      const pid_t pid = fork();
      if (pid != 0) {
        child = pid;
      } else {
        alarm(60);
        dup2(ends[1], STDERR_FILENO);
      }
    });
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    close(ends[0]);
    close(ends[1]);
  });
}

TEST_P(ForkedChildren, of_a_predicate_are_refused_within_it) {
  run([] {
    rt::send(self(), 1);
    Child child;
    rt::receive(rt::when(
        [&](int&) {
          child = fork_and([] { rt::sleep(1h); });
          return true;
        },
        [](int) {}));
    EXPECT_TRUE(child.was_refused());
  });
}

TEST_P(ForkedChildren, of_a_plain_thread_are_refused) {
  with_runtime([](Runtime& runtime) {
    EXPECT_TRUE(fork_and([&] { runtime.spawn([] {}); }).was_refused());
    EXPECT_TRUE(fork_and([&] { runtime.run([] {}); }).was_refused());
    EXPECT_TRUE(fork_and([&] { runtime.send(Pid(), 1); }).was_refused());
    EXPECT_TRUE(fork_and([&] { runtime.send("nobody", 1); }).was_refused());
    EXPECT_TRUE(fork_and([&] { runtime.whereis("nobody"); }).was_refused());
    EXPECT_TRUE(fork_and([&] { runtime.stop(1s); }).was_refused());
  });
}

TEST_P(ForkedChildren, that_exec_or_exit_do_as_ever) {
  run([] {
    EXPECT_EQ(fork_and([] { execl("/bin/sh", "sh", "-c", "exit 3", nullptr); }).code(), 3);
    EXPECT_EQ(fork_and([] { _exit(5); }).code(), 5);
  });
  with_runtime([](Runtime&) {
    EXPECT_EQ(fork_and([] { execl("/bin/sh", "sh", "-c", "exit 3", nullptr); }).code(), 3);
  });
}

// A descriptor that a process waits for, which children close or wait for as well.
class ForkedDescriptors : public ForkedChildren {
 protected:
  // Forks by this; the child acts; then what comes still wakes the parent.
  void expect_no_harm(const std::function<Child(std::function<void()>)>& fork_by,
                      const std::function<void(io::Handle&)>& act) {
    run([&] {
      std::array<int, 2> ends{};
      ASSERT_EQ(pipe2(ends.data(), O_NONBLOCK), 0);
      io::Handle reader(ends[0]);
      ASSERT_EQ(io::wait_readable(reader, Deadline::after(1ms)).error(), std::errc::timed_out);
      const Child child = fork_by([&] { act(reader); });
      EXPECT_EQ(child.code(), 7) << child.said;
      ASSERT_EQ(write(ends[1], "x", 1), 1);
      EXPECT_TRUE(io::wait_readable(reader, Deadline::after(60s)).has_value());
      close(ends[1]);
    });
  }
  static Child from_a_plain_thread(const std::function<void()>& act) {
    return blocking([&act] { return fork_and(act); });
  }
};
RT_WITH_SCHEDULERS(ForkedDescriptors);

TEST_P(ForkedDescriptors, are_closed_without_harm) {
  const auto close_it = [](io::Handle& handle) { handle.close(); };
  expect_no_harm(&fork_and, close_it);
  expect_no_harm(&from_a_plain_thread, close_it);
}

#if !defined(RT_TSAN)  // it allows a child no threads
TEST_P(ForkedDescriptors, are_waited_for_without_harm_in_a_runtime_of_the_child) {
  const Options own = options;
  expect_no_harm(&from_a_plain_thread, [&own](io::Handle& handle) {
    Runtime runtime(own);
    runtime.run([&handle] {
      if (io::wait_readable(handle, Deadline::after(1ms)).error() != std::errc::timed_out) _exit(1);
    });
  });
}
#endif

TEST_P(ForkedChildren, end_their_copy_of_the_runtime_without_doing_anything) {
  auto runtime = std::make_unique<Runtime>(options);
  runtime->spawn([] { rt::sleep(1h); });
  EXPECT_EQ(fork_and([&] { runtime.reset(); }).code(), 7);
  runtime->stop(60s);
}

TEST_P(ForkedChildren, have_the_host_s_handlers) {
  options.containment = HostHook::on;
  options.stop_signals = HostHook::on;
  options.hog_signal = HostHook::on;
  const std::terminate_handler before = std::get_terminate();
  run([&] {
    const auto has_default = [](int signal) {
      struct sigaction action{};
      sigaction(signal, nullptr, &action);
      return action.sa_handler == SIG_DFL;
    };
    const Child child = fork_and([&] {
      const bool all_default = has_default(SIGTERM) && has_default(SIGINT) && has_default(SIGURG);
      _exit(all_default && std::get_terminate() == before ? 0 : 1);
    });
    EXPECT_EQ(child.code(), 0);
    EXPECT_EQ(WTERMSIG(fork_and([] { raise(SIGTERM); }).status), SIGTERM);
  });
}

#if !defined(RT_TSAN)  // it allows a child no threads
TEST_P(ForkedChildren, may_start_a_runtime_of_their_own) {
  const Options own = options;
  with_runtime([&own](Runtime&) {
    const Child child = fork_and([&own] {
      Runtime runtime(own);
      _exit(runtime.run([] { rt::sleep(1ms); }) == ExitReason::normal() ? 0 : 1);
    });
    EXPECT_EQ(child.code(), 0) << child.said;
  });
}
#endif

TEST(ForkHook, a_guest_runtime_asks_for_none_unless_it_is_told_to) {
  Runtime runtime({.schedulers = 1});
  runtime.run([] { EXPECT_EQ(fork_and([] { static_cast<void>(self()); }).code(), 7); });
}

}  // namespace
}  // namespace airssys::rt
