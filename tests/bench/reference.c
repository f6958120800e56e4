/*
 * The yardstick of `make bench`: walks the pages of a preserved-memory map in memory, bit by bit,
 * joins blocks that touch into runs and keeps these in an array. Pages of 4 KiB.
 *
 * reference radix|chunks FILE BASE HEAD ROUNDS runs|totals [list]
 *
 * FILE holds the map's pages, the first of them at physical address BASE; HEAD is the physical
 * address of the root or of the first chunk. Prints nanoseconds, bytes and runs of each round;
 * with `list` also every run as order, start and end. FILE is read before the clock starts.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PAGE 4096
#define SHIFT 12
#define TOP 5
#define ORDERS 53

/* The order stands in the low bits of `start`, which is page aligned. */
struct run {
	uint64_t start, end;
};

static unsigned char *pages;
static uint64_t base, size;

static struct run *runs;
static size_t count, room;
static int keep;
static struct run current;
static int current_order;
static uint64_t found, blocks[ORDERS];

static void fail(const char *why)
{
	fprintf(stderr, "reference: %s\n", why);
	exit(1);
}

static unsigned char *page(uint64_t address)
{
	if (address < base || address - base + PAGE > size)
		fail("an address outside the file");
	return pages + (address - base);
}

static void close_run(void)
{
	if (current.start == current.end)
		return;
	if (keep) {
		if (count == room) {
			room = room ? 2 * room : 1024;
			runs = realloc(runs, room * sizeof(*runs));
			if (!runs)
				fail("no memory");
		}
		runs[count].start = current.start | current_order;
		runs[count].end = current.end;
	}
	count++;
	found += current.end - current.start;
	current.start = current.end = 0;
}

static void bitmap(const unsigned char *bits, uint64_t start, int order)
{
	uint64_t block = (uint64_t)PAGE << order;

	for (uint64_t bit = 0; bit < PAGE * 8; bit++) {
		if (!(bits[bit >> 3] >> (bit & 7) & 1))
			continue;
		uint64_t address = start + bit * block;

		blocks[order]++;
		if (address == current.end && order == current_order &&
		    current.start != current.end) {
			current.end += block;
			continue;
		}
		close_run();
		current.start = address;
		current.end = address + block;
		current_order = order;
	}
}

static void radix(uint64_t address, int level, uint64_t prefix)
{
	const unsigned char *node = page(address);

	if (!level) {
		uint64_t key = prefix << 15;
		int order = 64 - SHIFT - (63 - __builtin_clzll(key));

		bitmap(node, key << (SHIFT + order), order);
		return;
	}
	for (uint64_t index = 0; index < PAGE / 8; index++) {
		uint64_t below;

		memcpy(&below, node + 8 * index, 8);
		if (below)
			radix(below, level - 1, prefix << 9 | index);
	}
}

static void chunks(uint64_t address)
{
	while (address) {
		const unsigned char *chunk = page(address);
		uint32_t order, used;

		memcpy(&order, chunk + 8, 4);
		memcpy(&used, chunk + 12, 4);
		for (uint32_t index = 0; index < used; index++) {
			uint64_t entry[2];

			memcpy(entry, chunk + 16 + 16 * index, 16);
			bitmap(page(entry[1]), entry[0], order);
		}
		memcpy(&address, chunk, 8);
	}
}

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static void load(const char *name)
{
	FILE *file = fopen(name, "rb");

	if (!file || fseek(file, 0, SEEK_END))
		fail("the file cannot be opened");
	size = ftell(file);
	rewind(file);
	pages = malloc(size);
	if (!pages || fread(pages, 1, size, file) != size)
		fail("the file cannot be read");
	fclose(file);
}

int main(int argc, char **argv)
{
	if (argc < 7)
		fail("radix|chunks FILE BASE HEAD ROUNDS runs|totals [list]");
	load(argv[2]);
	base = strtoull(argv[3], NULL, 0);
	uint64_t head = strtoull(argv[4], NULL, 0);

	keep = !strcmp(argv[6], "runs");
	for (int round = atoi(argv[5]); round > 0; round--) {
		free(runs);
		runs = NULL;
		count = room = 0;
		found = 0;
		memset(blocks, 0, sizeof(blocks));
		int64_t before = now();

		if (!strcmp(argv[1], "radix"))
			radix(head, TOP, 0);
		else
			chunks(head);
		close_run();
		printf("%" PRId64 " %" PRIu64 " %zu\n", now() - before, found, count);
	}
	for (int order = 0; order < ORDERS; order++)
		if (blocks[order])
			printf("order %d: %" PRIu64 "\n", order, blocks[order]);
	if (keep && argc > 7)
		for (size_t at = 0; at < count; at++)
			printf("%d 0x%" PRIx64 " 0x%" PRIx64 "\n", (int)(runs[at].start % PAGE),
			       runs[at].start / PAGE * PAGE, runs[at].end);
	return 0;
}
