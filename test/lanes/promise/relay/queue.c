// The packets on their way: a binary heap, the earliest first.

#include <stdlib.h>
#include <string.h>

#include "relay.h"

static struct packet* heap;
static size_t on_their_way, capacity;

static int is_earlier(const struct packet* a, const struct packet* b) {
  return a->due < b->due || (a->due == b->due && a->order < b->order);
}

static void swap(size_t a, size_t b) {
  struct packet kept = heap[a];
  heap[a] = heap[b];
  heap[b] = kept;
}

void send_later(enum direction direction, const void* bytes, int length, double due,
                int is_from_peer) {
  static uint64_t count;
  if (on_their_way == capacity) {
    capacity = capacity ? 2 * capacity : 1024;
    heap = realloc(heap, capacity * sizeof *heap);
    if (!heap) fail("realloc");
  }
  unsigned char* copy = malloc(length);
  if (!copy) fail("malloc");
  memcpy(copy, bytes, length);
  size_t at = on_their_way++;
  heap[at] = (struct packet){due, count++, direction, is_from_peer, length, copy};
  for (; at > 0 && is_earlier(&heap[at], &heap[(at - 1) / 2]); at = (at - 1) / 2) {
    swap(at, (at - 1) / 2);
  }
}

struct packet take_earliest(void) {
  struct packet first = heap[0];
  heap[0] = heap[--on_their_way];
  for (size_t at = 0;;) {
    size_t child = 2 * at + 1;
    if (child + 1 < on_their_way && is_earlier(&heap[child + 1], &heap[child])) child++;
    if (child >= on_their_way || !is_earlier(&heap[child], &heap[at])) return first;
    swap(at, child);
    at = child;
  }
}

double next_due(void) {
  return on_their_way > 0 ? heap[0].due : -1;
}
