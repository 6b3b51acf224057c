// envelope.cpp: memory of messages.
#include "runtime/envelope.hpp"

#include <airssys/rt/detail/program.hpp>

#include "base/block_cache.hpp"

namespace airssys::rt::detail {

namespace {

std::size_t bytes_for(const MessageType& type) noexcept {
  return sizeof(runtime::Envelope) + type.bytes;
}

static_assert((sizeof(runtime::Envelope) + payload_bytes_max) / mailbox::Signal::granule_bytes <
              0xffff);  // so that Signal::granules counts it

void* payload_in(void* block, const MessageType& type) noexcept {
  auto* envelope = ::new (block) runtime::Envelope;
  envelope->granules = mailbox::Signal::granules_in(bytes_for(type));
  envelope->header = {&type, 0};
  return envelope->payload();
}

// The seldom halves of what follows, apart for the reason that block_cache.hpp names.
[[gnu::noinline]] void* allocate_payload_slowly(const MessageType& type) noexcept {
  return payload_in(base::allocate_small_slowly(bytes_for(type)), type);
}
[[gnu::noinline]] void destroy_value_and_block(void* payload) noexcept {
  header_of(payload).type->destroy(payload);
  free_payload(payload);
}

}  // namespace

void* allocate_payload(const MessageType& type) {
  void* block = base::try_allocate_small(bytes_for(type));
  return block ? payload_in(block, type) : allocate_payload_slowly(type);
}

void destroy_payload(void* payload) noexcept {
  if (header_of(payload).type->destroy) return destroy_value_and_block(payload);
  free_payload(payload);
}

void free_payload(void* payload) noexcept {
  runtime::Envelope& envelope = runtime::Envelope::of_payload(payload);
  base::free_small(&envelope, bytes_for(*envelope.header.type));
}

void* allocate(std::size_t bytes) {
  return base::allocate_small(bytes);
}

void deallocate(void* block, std::size_t bytes) noexcept {
  base::free_small(block, bytes);
}

}  // namespace airssys::rt::detail
