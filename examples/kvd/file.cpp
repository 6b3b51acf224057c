// file.cpp: thin, and honest about errno.
//
// A short write goes on where it ended; EINTR is no error. fdatasync that fails once is believed:
// the kernel may have dropped the pages, so trying again would only hide the loss.
#include "examples/kvd/file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <system_error>
#include <utility>

namespace kvd {
namespace {

template <typename Error = FileError>
[[noreturn]] void fail_with_errno(const char* what, const std::filesystem::path& path) {
  std::string why = std::generic_category().message(errno);
  throw Error(std::string("cannot ") + what + " " + path.string() + ": " + why);
}

int flags_of(File::Mode mode) noexcept {
  switch (mode) {
    case File::Mode::read:
      return O_RDONLY;
    case File::Mode::append:
      return O_RDWR | O_APPEND;
    case File::Mode::create_new:
      return O_RDWR | O_APPEND | O_CREAT | O_EXCL;
  }
  return O_RDONLY;
}

// Takes `written` bytes off the front of the pieces.
std::span<iovec> after(std::span<iovec> pieces, std::size_t written) noexcept {
  while (!pieces.empty() && written >= pieces.front().iov_len) {
    written -= pieces.front().iov_len;
    pieces = pieces.subspan(1);
  }
  if (!pieces.empty()) {
    pieces.front().iov_base = static_cast<char*>(pieces.front().iov_base) + written;
    pieces.front().iov_len -= written;
  }
  return pieces;
}

File lock_file(const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) throw FileError("cannot create " + directory.string() + ": " + error.message());
  std::filesystem::path path = directory / "lock";
  bool is_there = std::filesystem::exists(path, error);
  return {std::move(path), is_there ? File::Mode::append : File::Mode::create_new};
}

}  // namespace

File::File(std::filesystem::path path, Mode mode)
    : path_(std::move(path)), descriptor_(::open(path_.c_str(), flags_of(mode) | O_CLOEXEC, 0600)) {
  if (descriptor_ < 0) fail(mode == Mode::create_new ? "create" : "open");
}

File::~File() {
  ::close(descriptor_);
}

void File::fail(const char* what) const {
  fail_with_errno(what, path_);
}

std::size_t File::size() const {
  struct stat status{};
  if (::fstat(descriptor_, &status) != 0) fail("look at");
  return static_cast<std::size_t>(status.st_size);
}

void File::write_all(std::span<iovec> pieces) {
  pieces = after(pieces, 0);
  while (!pieces.empty()) {
    auto count = static_cast<int>(std::min<std::size_t>(pieces.size(), IOV_MAX));
    ssize_t written = ::writev(descriptor_, pieces.data(), count);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("write to");
    pieces = after(pieces, static_cast<std::size_t>(written));
  }
}

void File::write_all(std::string_view bytes) {
  iovec piece{.iov_base = const_cast<char*>(bytes.data()), .iov_len = bytes.size()};
  write_all(std::span(&piece, 1));
}

void File::truncate(std::size_t bytes) {
  if (::ftruncate(descriptor_, static_cast<off_t>(bytes)) != 0) fail("cut");
}

void File::rename(std::filesystem::path path) {
  if (::rename(path_.c_str(), path.c_str()) != 0) fail("rename");
  path_ = std::move(path);
}

void File::sync() {
  if (::fdatasync(descriptor_) != 0) fail_with_errno<SyncError>("sync", path_);
}

MappedFile::MappedFile(const File& file) : size_(file.size()) {
  if (size_ == 0) return;
  void* memory =
      ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file.descriptor(), 0);
  if (memory == MAP_FAILED) fail_with_errno("read", file.path());
  data_ = static_cast<const char*>(memory);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<char*>(data_), size_);
}

void sync_directory(const std::filesystem::path& directory) {
  int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) fail_with_errno("open", directory);
  int result = ::fsync(descriptor);
  int error = errno;
  ::close(descriptor);
  errno = error;
  if (result != 0) fail_with_errno<SyncError>("sync", directory);
}

DirectoryLock::DirectoryLock(const std::filesystem::path& directory) : file_(lock_file(directory)) {
  if (::flock(file_.descriptor(), LOCK_EX | LOCK_NB) == 0) return;
  throw FileError("another program uses the data in " + directory.string());
}

}  // namespace kvd
