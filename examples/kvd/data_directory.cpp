// data_directory.cpp: lock it, then compare its format, or write it.
//
// Names are durable before anything relies on them. While it has no format the directory counts as
// new: a start that died may have created it, and synced nothing.
#include "examples/kvd/data_directory.hpp"

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>

#include "examples/kvd/daemon.hpp"

namespace kvd {
namespace {

// Makes the name of a new directory durable, and the names of those above it that a start may have
// created with it: where we may not write we have created none.
void sync_parents(const std::filesystem::path& directory) {
  std::filesystem::path path = std::filesystem::canonical(directory);
  while (path.has_relative_path()) {
    path = path.parent_path();
    if (::access(path.c_str(), R_OK | W_OK) == 0) sync_directory(path);
  }
}

void check_format(const Settings& settings) {
  std::filesystem::path path = settings.data / "format";
  std::string wanted = "kvd 1, " + std::to_string(settings.shards) + " shards\n";
  if (!std::filesystem::exists(path)) {
    sync_parents(settings.data);
    // Under another name first: a half-written format would lock its owner out.
    std::filesystem::path scratch = settings.data / "format.tmp";
    std::filesystem::remove(scratch);
    {
      File file(scratch, File::Mode::create_new);
      file.write_all(wanted);
      file.sync();
    }
    std::filesystem::rename(scratch, path);
    sync_directory(settings.data);
    return;
  }
  MappedFile file(File(path, File::Mode::read));
  if (file.bytes() == wanted) return;
  std::string found(file.bytes().substr(0, file.bytes().find('\n')));
  throw FileError("the data in " + settings.data.string() + " is for '" + found + "', not for '" +
                  wanted.substr(0, wanted.size() - 1) + "'");
}

// Who may not write there hears it in one sentence, before anything runs.
void check_shards(const Settings& settings) {
  for (unsigned shard = 0; shard < settings.shards; ++shard) {
    std::filesystem::path directory = shard_directory(settings, static_cast<ShardNumber>(shard));
    std::filesystem::create_directories(directory);
    if (::access(directory.c_str(), R_OK | W_OK | X_OK) == 0) continue;
    std::string why = std::generic_category().message(errno);
    throw FileError("cannot write to " + directory.string() + ": " + why);
  }
  // Always: a start that died may have left names that it had not synced.
  sync_directory(settings.data);
}

}  // namespace

DataDirectory::DataDirectory(const Settings& settings) : lock_(settings.data) {
  try {
    check_format(settings);
    check_shards(settings);
  } catch (const std::filesystem::filesystem_error& error) {
    throw FileError(error.what());
  }
}

}  // namespace kvd
