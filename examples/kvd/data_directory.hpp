// data_directory.hpp: the directory that holds all logs, for one daemon at a time.
//
//   kvd-data/lock      held while a daemon runs
//            format    what the data was written for: `kvd 1, 4 shards`
//            shard-0/  and so on, the logs (log.hpp)
//
// The number of shards decides where a key lives, so it cannot change once there is data.
#pragma once

#include "examples/kvd/file.hpp"
#include "examples/kvd/settings.hpp"

namespace kvd {

class DataDirectory {
 public:
  // Creates it, and the shards' in it, if need be. Throws FileError when it cannot be used, and
  // says why.
  explicit DataDirectory(const Settings& settings);

 private:
  DirectoryLock lock_;
};

}  // namespace kvd
