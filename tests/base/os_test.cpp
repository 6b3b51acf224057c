// os_test.cpp: what the machine answers is plausible; control groups are read as they are written.
// Method: the real machine for bounds; made-up trees of /proc and /sys for quotas.
#include "base/os.hpp"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "base/parker.hpp"

namespace airssys::rt::base::os_test {
namespace {

class FakeRoot : public testing::Test {
 protected:
  FakeRoot() {
    std::string name = testing::TempDir() + "os_test_XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  ~FakeRoot() override { std::filesystem::remove_all(path_); }

  void write(const std::string& file, const std::string& text) {
    const std::filesystem::path path(path_ + file);
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  std::optional<double> quota() { return cpu_quota(path_.c_str()); }

 private:
  std::string path_;
};

TEST_F(FakeRoot, without_control_groups_there_is_no_quota) {
  EXPECT_EQ(quota(), std::nullopt);
}

TEST_F(FakeRoot, version_2_takes_the_smallest_quota_on_the_path) {
  write("/proc/self/mountinfo", "30 1 0:2 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  write("/proc/self/cgroup", "0::/a/b/c\n");
  write("/sys/fs/cgroup/a/cpu.max", "150000 100000\n");
  write("/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
  write("/sys/fs/cgroup/a/b/c/cpu.max", "400000 100000\n");
  EXPECT_EQ(quota(), 1.5);
}

TEST_F(FakeRoot, version_1_finds_the_hierarchy_that_has_the_cpu_controller) {
  write("/proc/self/mountinfo",
        "31 1 0:3 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
        "32 1 0:4 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n");
  write("/proc/self/cgroup", "5:cpuset:/x\n4:cpu,cpuacct:/job\n");
  write("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  write("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), std::nullopt);
  write("/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", "300000\n");
  write("/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), 3.0);
}

TEST_F(FakeRoot, a_container_sees_its_own_group_as_the_root_of_the_mount) {
  write("/proc/self/mountinfo", "32 1 0:4 /docker/7f /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  write("/proc/self/cgroup", "0::/docker/7f\n");
  write("/sys/fs/cgroup/cpu.max", "50000 100000\n");
  EXPECT_EQ(quota(), 0.5);
}

// D1
TEST(Os, at_least_one_cpu_and_no_more_than_there_are) {
  EXPECT_GE(usable_cpus(), 1U);
  EXPECT_LE(usable_cpus(), std::thread::hardware_concurrency());
}

TEST(Os, pages_have_a_sensible_size) {
  EXPECT_GE(page_bytes(), 4096U);
  EXPECT_EQ(page_bytes() & (page_bytes() - 1), 0U);
}

TEST(Os, a_long_thread_name_is_cut) {
  std::thread([] {
    name_this_thread("a name of more than fifteen letters");
    char name[16] = {};
    ::pthread_getname_np(::pthread_self(), name, sizeof name);
    EXPECT_STREQ(name, "a name of more ");
  }).join();
}

TEST(Os, another_threads_cpu_time_grows_while_it_works) {
  std::atomic<bool> stop{false};
  std::atomic<clockid_t> clock{0};
  Parker ready;
  std::thread worker([&] {
    clock = this_thread_cpu_clock();
    ready.unpark();
    while (!stop) continue;
  });
  ready.park();
  const std::int64_t start = cpu_time_ns(clock);
  EXPECT_GE(start, 0);
  while (cpu_time_ns(clock) < start + 1'000'000) std::this_thread::yield();
  stop = true;
  worker.join();
}

TEST(Os, a_thread_can_be_made_idle_and_the_answer_about_the_way_back_is_true) {
  std::thread([] {
    const ThreadId self = this_thread_id();
    ASSERT_TRUE(set_idle_priority(self));
    EXPECT_EQ(::sched_getscheduler(self), SCHED_IDLE);
    const bool restored = restore_priority(self);
    EXPECT_EQ(::sched_getscheduler(self), restored ? SCHED_OTHER : SCHED_IDLE);
  }).join();
}

TEST(Os, membarrier_works_where_it_is_available) {
  const bool answer = membarrier_available();
  if (answer) membarrier();
  EXPECT_EQ(membarrier_available(), answer);
}

constexpr char our_mark = 0;
std::atomic<const void*> mark_seen{nullptr};

TEST(Os, a_signal_to_a_thread_brings_its_mark_and_comes_whatever_mask_the_thread_was_born_with) {
  struct sigaction ours{};
  struct sigaction before{};
  ours.sa_sigaction = [](int, siginfo_t* info, void*) { mark_seen = info->si_value.sival_ptr; };
  ours.sa_flags = SA_SIGINFO;
  sigaction(SIGURG, &ours, &before);
  sigset_t urgent{};
  sigset_t mask_before{};
  sigemptyset(&urgent);
  sigaddset(&urgent, SIGURG);
  pthread_sigmask(SIG_BLOCK, &urgent, &mask_before);

  std::atomic<ThreadId> thread{0};
  std::thread receiver([&] {
    unblock_signal(SIGURG);
    thread = this_thread_id();
    while (!mark_seen) std::this_thread::yield();
  });
  while (thread == 0) std::this_thread::yield();
  EXPECT_TRUE(signal_thread(thread, SIGURG, &our_mark));
  receiver.join();
  EXPECT_EQ(mark_seen, &our_mark);
  // The kernel wakes who joins a thread shortly before it forgets the thread's number.
  while (signal_thread(thread, SIGURG, &our_mark)) std::this_thread::yield();

  pthread_sigmask(SIG_SETMASK, &mask_before, nullptr);
  sigaction(SIGURG, &before, nullptr);
}

}  // namespace
}  // namespace airssys::rt::base::os_test
