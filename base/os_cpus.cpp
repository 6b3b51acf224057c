// os_cpus.cpp: how many CPUs this program may really use.
//
// Affinity says where threads may run, a control group's quota for how long. A quota holds for
// everything below its group, so each group from ours up to the mount's root is asked and the
// smallest quota counts.
//   /proc/self/cgroup     our group per hierarchy: "0::/a/b" (version 2), "4:cpu,cpuacct:/a/b" (1)
//   /proc/self/mountinfo  where a hierarchy is mounted, and which of its groups is seen there: in a
//                         container without a namespace of its own that is not "/"
//   cpu.max               version 2: "200000 100000" = 2 CPUs, "max 100000" = no limit
//   cpu.cfs_quota_us, cpu.cfs_period_us       version 1: quota -1 = no limit
#include <sched.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/os.hpp"

namespace airssys::rt::base {

namespace {

struct Hierarchy {
  bool is_version_2 = false;
  std::string mount_point;
  std::string mounted_group;
};

bool has_item(std::string_view list, std::string_view item) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (list.substr(0, comma) == item) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

// "36 35 98:0 /group /mount/point options [fields] - type source super,options"
std::optional<Hierarchy> parse_mount(const std::string& line) {
  std::istringstream words(line);
  std::string id, parent, device, group, point, word, type, source, options;
  words >> id >> parent >> device >> group >> point;
  while (words >> word && word != "-") continue;
  words >> type >> source >> options;
  if (type == "cgroup2") return Hierarchy{true, point, group};
  if (type == "cgroup" && has_item(options, "cpu")) return Hierarchy{false, point, group};
  return std::nullopt;
}

std::vector<Hierarchy> hierarchies(const std::string& root) {
  std::vector<Hierarchy> found;
  std::ifstream file(root + "/proc/self/mountinfo");
  for (std::string line; std::getline(file, line);)
    if (auto hierarchy = parse_mount(line)) found.push_back(std::move(*hierarchy));
  return found;
}

// Our group in a hierarchy, as /proc/self/cgroup names it.
std::optional<std::string> own_group(const std::string& root, bool is_version_2) {
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (is_version_2 ? controllers.empty() : has_item(controllers, "cpu"))
      return line.substr(second + 1);
  }
  return std::nullopt;
}

std::optional<double> quota_of(const std::string& directory, bool is_version_2) {
  double quota = 0;
  double period = 0;
  bool is_read = false;
  if (is_version_2) {
    std::ifstream file(directory + "/cpu.max");
    is_read = static_cast<bool>(file >> quota >> period);  // "max" is no number
  } else {
    std::ifstream quota_file(directory + "/cpu.cfs_quota_us");
    std::ifstream period_file(directory + "/cpu.cfs_period_us");
    is_read = quota_file >> quota && period_file >> period;
  }
  if (!is_read || quota <= 0 || period <= 0) return std::nullopt;
  return quota / period;
}

void keep_smaller(std::optional<double>& smallest, std::optional<double> quota) {
  if (quota && (!smallest || *quota < *smallest)) smallest = quota;
}

std::optional<double> quota_on_path(const std::string& root, const Hierarchy& hierarchy) {
  std::string group = own_group(root, hierarchy.is_version_2).value_or("/");
  const std::string& mounted = hierarchy.mounted_group;
  if (mounted != "/")
    group = group.starts_with(mounted) ? group.substr(mounted.size()) : std::string();
  const std::string top = root + hierarchy.mount_point;
  std::optional<double> smallest;
  for (;;) {
    while (group.ends_with('/')) group.pop_back();
    keep_smaller(smallest, quota_of(std::string(top).append(group), hierarchy.is_version_2));
    if (group.empty()) return smallest;
    group.erase(group.rfind('/') == std::string::npos ? 0 : group.rfind('/'));
  }
}

unsigned affine_cpus() noexcept {
  std::array<cpu_set_t, 16> cpus{};  // 16 384 CPUs; the kernel refuses sets smaller than its own
  if (::sched_getaffinity(0, sizeof cpus, cpus.data()) != 0) return 1;
  return static_cast<unsigned>(CPU_COUNT_S(sizeof cpus, cpus.data()));
}

}  // namespace

std::optional<double> cpu_quota(const char* root) noexcept {
  std::optional<double> smallest;
  for (const Hierarchy& hierarchy : hierarchies(root))
    keep_smaller(smallest, quota_on_path(root, hierarchy));
  return smallest;
}

unsigned usable_cpus() noexcept {
  double cpus = affine_cpus();
  if (const auto quota = cpu_quota("")) cpus = std::min(cpus, std::ceil(*quota));
  return std::max(1U, static_cast<unsigned>(cpus));
}

}  // namespace airssys::rt::base
