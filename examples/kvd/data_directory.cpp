// data_directory.cpp: lock it, then compare its format, or write it.
#include "examples/kvd/data_directory.hpp"

#include <filesystem>
#include <string>

namespace kvd {
namespace {

void check_format(const Settings& settings) {
  std::filesystem::path path = settings.data / "format";
  std::string wanted = "kvd 1, " + std::to_string(settings.shards) + " shards\n";
  if (!std::filesystem::exists(path)) {
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

}  // namespace

DataDirectory::DataDirectory(const Settings& settings) : lock_(settings.data) {
  try {
    check_format(settings);
  } catch (const std::filesystem::filesystem_error& error) {
    throw FileError(error.what());
  }
}

}  // namespace kvd
