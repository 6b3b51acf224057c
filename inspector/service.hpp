// service.hpp: a thread that serves requests on an endpoint; it does not know what they mean.
//
//   poll ──▶ stop? ▪ somebody new? ▪ each client: a piece of a request, or a piece of an answer
//
//   client   reading ── frame complete: answer ──▶ writing ── all written ──▶ reading
//               │ closed, garbage, or `patience` over          │ closed, or `patience` over
//               ▼                                              ▼
//              gone ◀── writing the last answer: a refusal ── leaving
//
// Whatever clients do, the program pays for at most `clients_max` of them, each with one request or
// one answer in memory, and each step of theirs ends after `patience`: whoever sends or takes a
// byte now and then gains nothing by it. One client too many is told so. The thread is the
// service's own, takes no signals of the host's, and touches nothing that a scheduler could hold.
#pragma once

#include <chrono>
#include <cstddef>
#include <expected>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "inspector/endpoint.hpp"
#include "inspector/protocol.hpp"

namespace airssys::rt::inspector {

class Service {
 public:
  // The body of the answer to a request. On the service's thread; what it throws is answered, too.
  using Answer = std::function<std::expected<std::string, Refusal>(const Request& request)>;

  static constexpr std::size_t clients_max = 16;
  static constexpr std::chrono::milliseconds patience_default{10'000};

  // Throws std::system_error: no descriptor, no thread.
  Service(int listener, Answer answer, std::chrono::milliseconds patience = patience_default);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  ~Service();  // Ends the thread and drops all clients, at once.

 private:
  using Clock = std::chrono::steady_clock;

  struct Client {
    Descriptor connection;
    Clock::time_point until;
    FrameReader request{request_bytes_max};
    // NOLINTNEXTLINE(readability-redundant-member-init): g++ misses it in designated initializers
    std::string answer = {};  // what is left of it to write; empty: it reads
    std::size_t written = 0;  // of the answer
    bool is_leaving = false;  // gone when the answer is written
  };

  void run() noexcept;
  int timeout_ms() const;
  void accept_all();
  bool serve(Client& client);
  bool read_some(Client& client);
  bool write_some(Client& client);
  void take_request(Client& client);

  const int listener_;
  const Answer answer_;
  const std::chrono::milliseconds patience_;
  Descriptor stop_;  // an eventfd: readable when the thread is to end

  // The service's thread only.
  std::vector<Client> clients_;
  Clock::time_point accepts_from_;  // no descriptor was left: no use in trying before

  std::thread thread_;  // the last member: it uses all others
};

}  // namespace airssys::rt::inspector
