// file.hpp: the few things a log does with the file system, with errors that say which file.
//
// All of these may block the thread under them: a process calls them through rt::blocking, except
// `write_all`, which only copies into the page cache, and MappedFile for what is in it already.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace kvd {

// A file could not be opened, read, written or made durable; what() names it and says why.
class FileError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// What was written, or a name in a directory, could not be made durable. The kernel may have
// dropped it and not say so again: that the next sync succeeds means nothing.
class SyncError : public FileError {
 public:
  using FileError::FileError;
};

// An open file descriptor, closed by its last owner.
class File {
 public:
  enum class Mode {
    read,
    append,      // to read it too; must be there
    create_new,  // the same; must not be there
  };

  File(std::filesystem::path path, Mode mode);
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File();

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

  // Writes all the pieces, in order; changes the pieces as it goes on. When it has returned, the
  // bytes survive the end of this program, though not that of the machine.
  void write_all(std::span<iovec> pieces);
  void write_all(std::string_view bytes);
  void truncate(std::size_t bytes);
  // Replaces what has that name, in one step.
  void rename(std::filesystem::path path);
  // When it has returned, what was written survives the machine's end too. Throws SyncError.
  void sync();

 private:
  [[noreturn]] void fail(const char* what) const;

  std::filesystem::path path_;
  int descriptor_;
};

// A whole file as bytes, for reading; they stay as long as the object does, even if the file is
// closed and its name removed meanwhile.
class MappedFile {
 public:
  explicit MappedFile(const File& file);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&&) = delete;
  ~MappedFile();

  [[nodiscard]] std::string_view bytes() const noexcept { return {data_, size_}; }

 private:
  const char* data_ = nullptr;
  std::size_t size_ = 0;
};

// Makes the names in a directory durable: a new file, a renamed one, a removed one. Throws
// SyncError, or FileError when it cannot be opened.
void sync_directory(const std::filesystem::path& directory);

// Holds a directory for one program; the lock ends with the program, however it ends.
class DirectoryLock {
 public:
  // Creates the directory if need be. Throws FileError when it cannot, cannot write there, or when
  // another program holds it.
  explicit DirectoryLock(const std::filesystem::path& directory);

 private:
  File file_;
};

}  // namespace kvd
