// envelope.cpp: memory of messages.
#include "runtime/envelope.hpp"

#include <airssys/rt/detail/program.hpp>

#include "base/block_cache.hpp"

namespace airssys::rt::detail {

void* allocate_payload(const MessageType& type) {
  const std::size_t bytes = sizeof(runtime::Envelope) + type.bytes;
  auto* envelope = ::new (base::allocate_small(bytes)) runtime::Envelope;
  envelope->bytes = static_cast<std::uint32_t>(bytes);
  envelope->header = {&type, 0};
  return envelope->payload();
}

void destroy_payload(void* payload) noexcept {
  const MessageType& type = *header_of(payload).type;
  if (type.destroy) type.destroy(payload);
  free_payload(payload);
}

void free_payload(void* payload) noexcept {
  runtime::Envelope& envelope = runtime::Envelope::of_payload(payload);
  base::free_small(&envelope, envelope.bytes);
}

void* allocate(std::size_t bytes) {
  return base::allocate_small(bytes);
}

void deallocate(void* block, std::size_t bytes) noexcept {
  base::free_small(block, bytes);
}

}  // namespace airssys::rt::detail
