// relations.hpp: one process's half of its links, monitors, aliases and suspensions.
//
// Owner only: each side keeps its own half, and the halves agree by signals (signals.hpp), so no
// lock is needed. A relation is found by its kind and its key:
//
//   kind           key                      peer         mine            theirs
//   link           peer                     other end    id of our link  id of the peer's link
//   unlinked       peer                     other end    id of our unlink  -
//   monitor        mine                     watched      our ref's id    -
//   monitored_by   peer and theirs          watcher      -               the watcher's ref id
//                                           one that came with a request is until_reply (M1, G5)
//   alias          mine                     -            our ref's id    -
//   suspends       peer                     suspended    how often       -
//   suspended_by   peer                     suspender    -               -
//
// A link's incarnation has up to two ids: the one we gave it when we asked for it, and the one that
// came with the peer's request. The exit of a link names the ids its sender knew; it is about our
// link if one of them matches, so that of an earlier incarnation finds nothing (L8). A link that
// the peer alone has asked for, without an id of ours, is the peer's last one, and so is its exit
// about it: unlinks that crossed may have left each end with the other's id alone.
// An unlink ends the link whoever has made it, also one that its sender has not heard of. So who
// unlinks notes that until the peer has acknowledged it: a link that the peer asked for before is
// one that the peer, too, has given up by then (L7). To link again takes the note away.
// Up to 16 relations are searched one by one; beyond that an index makes every step O(1) (L11).
#pragma once

#include <airssys/rt/pid.hpp>
#include <cstddef>
#include <cstdint>
#include <span>

namespace airssys::rt::runtime {

enum class RelationKind : std::uint8_t {
  link,
  unlinked,
  monitor,
  monitored_by,
  alias,
  suspends,
  suspended_by,
};

// For a monitor: whether and how it is an address too. For an alias: when it ends (A1).
enum class AddressMode : std::uint8_t { none, until_unalias, until_demonitor, until_reply };

// Where in the mail what comes by it is kept: at the end, or ahead of all ordinary mail (S12).
enum class Rank : bool { ordinary, priority };

struct Relation {
  RelationKind kind;
  AddressMode mode = AddressMode::none;
  Rank rank = Rank::ordinary;
  std::uint32_t hash = 0;  // of its key, once there is an index
  Pid peer = {};
  std::uint64_t mine = 0;
  std::uint64_t theirs = 0;
};

class Relations {
 public:
  Relations() noexcept = default;
  Relations(const Relations&) = delete;
  Relations& operator=(const Relations&) = delete;
  ~Relations() { clear(); }

  // Requires: there is none with this kind and key.
  void add(const Relation& relation) {
    if (!block_ || block_->count == block_->capacity) [[unlikely]]
      make_room();
    Relation& added = block_->items()[block_->count++] = relation;
    if (block_->index) [[unlikely]]
      index_insert(added);
  }

  Relation* find_link(Pid peer) noexcept { return find(RelationKind::link, peer.bits(), 0); }
  Relation* find_unlinked(Pid peer) noexcept {
    return find(RelationKind::unlinked, peer.bits(), 0);
  }
  Relation* find_monitor(std::uint64_t mine) noexcept {
    return find(RelationKind::monitor, mine, 0);
  }
  Relation* find_alias(std::uint64_t mine) noexcept { return find(RelationKind::alias, mine, 0); }
  // The alias or the monitor that has this id.
  Relation* find_own(std::uint64_t mine) noexcept {
    Relation* alias = find_alias(mine);
    return alias ? alias : find_monitor(mine);
  }
  Relation* find_suspended(Pid peer) noexcept {
    return find(RelationKind::suspends, peer.bits(), 0);
  }
  Relation* find_suspender(Pid peer) noexcept {
    return find(RelationKind::suspended_by, peer.bits(), 0);
  }
  Relation* find_watcher(Pid peer, std::uint64_t theirs) noexcept {
    return find(RelationKind::monitored_by, peer.bits(), theirs);
  }

  // The pointer is invalid afterwards, and so are all others.
  void remove(Relation& relation) noexcept;

  std::span<Relation> all() noexcept {
    if (!block_) return {};
    return {block_->items(), block_->count};
  }
  void clear() noexcept;

  // Memory beyond the object itself.
  std::size_t heap_bytes() const noexcept;

 private:
  static constexpr std::uint32_t searched_max = 16;

  struct Block {
    std::uint32_t count;
    std::uint32_t capacity;
    std::uint32_t* index;       // null: searched one by one
    std::uint32_t index_slots;  // a power of two, at least twice the capacity
    Relation* items() noexcept { return reinterpret_cast<Relation*>(this + 1); }
    static std::size_t bytes_for(std::uint32_t capacity) noexcept {
      return sizeof(Block) + capacity * sizeof(Relation);
    }
  };

  // What makes one of this kind the one that is meant.
  struct Key {
    RelationKind kind;
    std::uint64_t first;
    std::uint64_t second;
    friend bool operator==(const Key&, const Key&) = default;
  };
  static Key key_of(const Relation& relation) noexcept {
    const RelationKind kind = relation.kind;
    const bool is_ours = kind == RelationKind::monitor || kind == RelationKind::alias;
    return {kind,
            is_ours ? relation.mine : relation.peer.bits(),
            kind == RelationKind::monitored_by ? relation.theirs : 0};
  }
  static std::uint32_t hash_of(const Key& key) noexcept;

  Relation* find(RelationKind kind, std::uint64_t first, std::uint64_t second) noexcept {
    if (!block_) return nullptr;
    const Key key{kind, first, second};
    if (block_->index) [[unlikely]]
      return look_up(key);
    // The newest first: a call's monitor is gone before its caller does anything else.
    Relation* items = block_->items();
    for (std::uint32_t i = block_->count; i-- > 0;) {
      if (items[i].kind == kind && key_of(items[i]) == key) return &items[i];
    }
    return nullptr;
  }
  Relation* look_up(const Key& key) noexcept;
  void make_room();
  static Block* new_block(std::uint32_t capacity);
  void build_index();
  // What the index says of a relation in the array.
  std::uint32_t entry_of(const Relation& relation) const noexcept {
    return static_cast<std::uint32_t>(&relation - block_->items()) + 1;
  }
  std::uint32_t* index_place(const Relation& relation) noexcept;
  void index_insert(Relation& relation) noexcept;
  void index_erase(std::uint32_t* place) noexcept;

  Block* block_ = nullptr;  // null: there are none
};

}  // namespace airssys::rt::runtime
