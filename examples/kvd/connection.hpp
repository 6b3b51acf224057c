// connection.hpp: the process that serves one client.
//
// Plain blocking code: read what has come, plan it, give each shard its part, wait for the parts,
// write all answers at once. One burst is under way at a time, so a client that sends faster than
// it reads is slowed down by its own socket and by nothing else.
//
// The process is ended by its supervisor when the daemon stops. A burst that was begun is finished:
// while one is answered the process traps exits, and looks for one before it reads again.
//
// It monitors the shards that it has worked with. When one dies, its part of the burst is answered
// with an error, and the next burst goes to the shard's successor.
#pragma once

#include <airssys/rt.hpp>
#include <airssys/rt/net.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "examples/kvd/burst.hpp"
#include "examples/kvd/daemon.hpp"
#include "examples/kvd/read_room.hpp"
#include "examples/kvd/reply_plan.hpp"
#include "examples/kvd/resp_parser.hpp"
#include "examples/kvd/session.hpp"
#include "examples/kvd/shard.hpp"

namespace kvd {

class Connection {
 public:
  Connection(const Daemon& daemon, rt::net::TcpStream stream, std::uint64_t id);

  // Returns when the client has gone, has been told to go, or has asked for it.
  void serve();

 private:
  struct ShardLink {
    rt::ServerRef<Shard> shard;
    rt::MonitorRef monitor;
    bool is_known = false;
    bool has_part = false;
  };

  // False when nothing more will come.
  bool read_more();
  // Plans the commands that have arrived; false when there is none.
  bool plan_burst();
  // False when the client cannot be answered.
  bool answer_burst();
  void cut_off_answered();

  void send_parts();
  void await_parts();
  bool know(ShardNumber number);
  void accept_part(Finished finished);
  void forget(const rt::Down& down);

  const Daemon& daemon_;
  rt::net::TcpStream stream_;
  Session session_;
  RespParser parser_;
  ReplyPlan plan_;
  std::vector<ShardLink> shards_;
  std::shared_ptr<Burst> burst_ = std::make_shared<Burst>();
  ReadRoom room_;
  std::string out_;
  std::uint64_t burst_number_ = 0;
  std::size_t parts_away_ = 0;
  bool is_broken_ = false;  // the client has sent what is no protocol
};

}  // namespace kvd
