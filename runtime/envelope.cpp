// envelope.cpp: memory of messages.
#include "runtime/envelope.hpp"

#include <airssys/rt/detail/program.hpp>

#include "base/memory.hpp"

namespace airssys::rt::detail {

void* allocate_payload(const MessageType& type) {
  const std::size_t bytes = sizeof(runtime::Envelope) + type.bytes;
  auto* envelope = ::new (base::allocate(bytes)) runtime::Envelope;
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
  base::free(&runtime::Envelope::of_payload(payload));
}

void* allocate(std::size_t bytes) {
  return base::allocate(bytes);
}

void deallocate(void* block) noexcept {
  base::free(block);
}

}  // namespace airssys::rt::detail
