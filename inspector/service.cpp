// service.cpp: the poll loop, and one client's steps.
#include "inspector/service.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <exception>
#include <system_error>
#include <utility>

#include "base/json.hpp"
#include "base/os.hpp"

namespace airssys::rt::inspector {

namespace {

constexpr std::chrono::milliseconds pause_without_descriptors{100};

// The host's signals go to the host's threads.
std::thread start_without_signals(auto run) {
  sigset_t all{};
  sigset_t before{};
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    std::thread thread(std::move(run));
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return thread;
  } catch (...) {
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
}

bool would_block(int error) noexcept {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

std::string to_json(const Refusal& refusal) {
  base::JsonWriter json;
  json.begin_object().key("version").number(protocol_version);
  json.key("error").begin_object();
  json.key("code").text(refusal.code).key("text").text(refusal.text);
  return json.end_object().end_object().take();
}

// A sentence fits into an empty socket's buffer; who does not take it has lost it.
void refuse(int connection, const Refusal& refusal) noexcept {
  try {
    const std::string frame = make_frame(to_json(refusal));
    ::send(connection, frame.data(), frame.size(), MSG_NOSIGNAL);
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): no memory for a sentence
  }
}

}  // namespace

Service::Service(int listener, Answer answer, std::chrono::milliseconds patience)
    : listener_(listener),
      answer_(std::move(answer)),
      patience_(patience),
      stop_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!stop_) throw std::system_error(errno, std::generic_category(), "inspector: no eventfd");
  thread_ = start_without_signals([this] { run(); });
}

Service::~Service() {
  const std::uint64_t one = 1;
  // Cannot fail: the counter is far from its limit.
  static_cast<void>(::write(stop_.get(), &one, sizeof(one)));
  thread_.join();
}

void Service::run() noexcept {
  base::name_this_thread("airs-inspector");
  clients_.reserve(clients_max);
  std::vector<pollfd> polled;
  polled.reserve(2 + clients_max);
  for (;;) {
    const short wants_newcomers = Clock::now() >= accepts_from_ ? POLLIN : 0;
    polled.assign({{stop_.get(), POLLIN, 0}, {listener_, wants_newcomers, 0}});
    for (const Client& client : clients_)
      polled.push_back(
          {client.connection.get(), client.answer.empty() ? short{POLLIN} : short{POLLOUT}, 0});
    ::poll(polled.data(), polled.size(), timeout_ms());
    if (polled[0].revents != 0) return;
    const auto now = Clock::now();
    // From the back, so that who goes does not shift those that are still to be looked at.
    for (std::size_t i = clients_.size(); i-- > 0;) {
      const bool goes_on = polled[2 + i].revents != 0 ? serve(clients_[i]) : true;
      if (!goes_on || clients_[i].until <= now)
        clients_.erase(clients_.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (polled[1].revents != 0) accept_all();
  }
}

// Until somebody's patience ends; for ever when nobody is there.
int Service::timeout_ms() const {
  auto next = Clock::time_point::max();
  for (const Client& client : clients_) next = std::min(next, client.until);
  const auto now = Clock::now();
  if (accepts_from_ > now) next = std::min(next, accepts_from_);
  if (next == Clock::time_point::max()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - now);
  return static_cast<int>(std::max<std::chrono::milliseconds::rep>(left.count(), 0));
}

void Service::accept_all() {
  for (;;) {
    Descriptor connection(::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!connection) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
        accepts_from_ = Clock::now() + pause_without_descriptors;
      return;
    }
    if (!is_permitted(connection.get())) {
      refuse(connection.get(), {"not_permitted", "this program is not yours to look into"});
    } else if (clients_.size() == clients_max) {
      refuse(connection.get(), {"busy", "too many inspectors look at this program already"});
    } else {
      clients_.push_back({.connection = std::move(connection), .until = Clock::now() + patience_});
    }
  }
}

// One step; false: the client is gone.
bool Service::serve(Client& client) {
  try {
    return client.answer.empty() ? read_some(client) : write_some(client);
  } catch (const std::exception&) {
    return false;
  }
}

bool Service::read_some(Client& client) {
  std::array<char, request_bytes_max> buffer;
  const ssize_t got = ::recv(
      client.connection.get(), buffer.data(), std::min(client.request.wants(), buffer.size()), 0);
  if (got < 0) return would_block(errno);
  if (got == 0) return false;
  client.request.add({buffer.data(), static_cast<std::size_t>(got)});
  if (client.request.is_too_long()) {
    client.is_leaving = true;
    client.answer = make_frame(to_json({"bad_request", "a request has at most 256 bytes"}));
  } else if (client.request.is_complete()) {
    take_request(client);
  } else {
    return true;
  }
  client.until = Clock::now() + patience_;
  return true;
}

void Service::take_request(Client& client) {
  const auto request = parse_request(client.request.take());
  client.is_leaving = !request;
  client.written = 0;
  try {
    const auto answer = request
                            ? answer_(*request)
                            : std::expected<std::string, Refusal>(std::unexpected(request.error()));
    client.answer = make_frame(answer ? *answer : to_json(answer.error()));
  } catch (const std::exception& error) {
    client.answer = make_frame(to_json({"failed", error.what()}));
  }
}

bool Service::write_some(Client& client) {
  const ssize_t sent = ::send(client.connection.get(),
                              client.answer.data() + client.written,
                              client.answer.size() - client.written,
                              MSG_NOSIGNAL);
  if (sent < 0) return would_block(errno);
  client.written += static_cast<std::size_t>(sent);
  if (client.written < client.answer.size()) return true;
  client.answer = {};
  client.until = Clock::now() + patience_;
  return !client.is_leaving;
}

}  // namespace airssys::rt::inspector
