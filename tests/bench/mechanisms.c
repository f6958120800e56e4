/*
 * The yardstick of `make bench` for PKRAM and kstate: decodes their records in memory, one by one.
 *
 * mechanisms pkram FILE BASE PFN    links from frame PFN on; FILE lies at physical address BASE
 * mechanisms kstate FILE            a stream of v2
 * mechanisms fields FILE OUTPUT     the same, its entries by one description and printed to OUTPUT
 *
 * Prints nanoseconds, how many records there are, and a sum over them. FILE is read before the
 * clock starts.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PAGE 4096
#define SHIFT 12
#define ENTRIES 510

struct record {
	int64_t offset;
	int32_t words[4];
};

static unsigned char *data;
static uint64_t size;

static void fail(const char *why)
{
	fprintf(stderr, "mechanisms: %s\n", why);
	exit(1);
}

static void load(const char *name)
{
	FILE *file = fopen(name, "rb");

	if (!file || fseek(file, 0, SEEK_END))
		fail("no such file");
	size = ftell(file);
	rewind(file);
	data = malloc(size + 1);
	if (!data || fread(data, 1, size, file) != size)
		fail("it cannot be read");
	fclose(file);
}

/* Orders, flags, indexes and runs of all pages. */
static uint64_t pkram(uint64_t base, uint64_t pfn, uint64_t *sum)
{
	uint64_t count = 0, blocks[32] = { 0 }, flags = 0, runs = 0, end = 0, last = 0;

	while (pfn) {
		uint64_t at = (pfn << SHIFT) - base, index;
		const uint64_t *words;

		if (at + PAGE > size)
			fail("a link outside the file");
		words = (const uint64_t *)(data + at);
		index = words[1];
		for (int entry = 0; entry < ENTRIES; entry++) {
			uint64_t word = words[2 + entry], address = word & ~(uint64_t)(PAGE - 1);
			int order = word & 31;

			if (!word)
				break;
			if (address & (((uint64_t)PAGE << order) - 1))
				fail("a page is not aligned");
			flags |= word >> 5 & 0x7f;
			blocks[order]++;
			runs += address != end;
			end = address + ((uint64_t)PAGE << order);
			index += (uint64_t)1 << order;
			count++;
		}
		if (index > last)
			last = index;
		pfn = words[0];
	}
	*sum = last + runs + flags + blocks[9];
	return count;
}

static uint64_t kstate(struct record **records)
{
	uint64_t at = 0, count = 0, room = 0;
	int32_t first;

	for (;;) {
		struct record *record;

		if (at + 4 > size)
			fail("no end mark");
		memcpy(&first, data + at, 4);
		if (first == -1)
			return count;
		if (at + 16 > size)
			fail("a header outside the file");
		if (count == room) {
			room = room ? 2 * room : 1024;
			*records = realloc(*records, room * sizeof(**records));
			if (!*records)
				fail("no memory");
		}
		record = &(*records)[count++];
		record->offset = at;
		memcpy(record->words, data + at, 16);
		if (record->words[3] < 0 || at + 16 + record->words[3] > size)
			fail("a size over the end");
		at += 16 + record->words[3];
	}
}

/* Large numbers may be addresses, and stand in hexadecimal too. */
static void number(FILE *out, char name, int64_t value)
{
	const char *sign = value < 0 ? "-" : "";

	fprintf(out, "            %c = %" PRId64, name, value);
	if (value <= -4096 || value >= 4096)
		fprintf(out, " (%s0x%" PRIx64 ")", sign, value < 0 ? -(uint64_t)value : (uint64_t)value);
	fputc('\n', out);
}

/* An i32, a char[10], two u64 and a u32, as `decode kstate` prints them. */
static uint64_t fields(const char *name, uint64_t *sum)
{
	struct record *records = NULL;
	uint64_t count = kstate(&records);
	FILE *out = fopen(name, "w");

	if (!out)
		fail("no output");
	fprintf(out, "kstate v2\n");
	for (uint64_t at = 0; at < count; at++) {
		const int32_t *words = records[at].words;
		const unsigned char *from = data + records[at].offset + 16;
		uint64_t l, a;
		uint32_t k;
		int32_t i;

		if (words[0] != 9 || words[1] != 1 || words[3] != 34)
			fail("an entry of another kind");
		memcpy(&i, from, 4);
		memcpy(&l, from + 14, 8);
		memcpy(&k, from + 22, 4);
		memcpy(&a, from + 26, 8);
		fprintf(out, "0x%08" PRIx64 "  own  id %d  version %d  instance %d  %d B\n",
			(uint64_t)records[at].offset, words[0], words[1], words[2], words[3]);
		number(out, 'i', i);
		fprintf(out, "            s = ");
		for (int byte = 0; byte < 10 && from[4 + byte]; byte++)
			if (from[4 + byte] == '\\')
				fputs("\\\\", out);
			else if (from[4 + byte] >= ' ' && from[4 + byte] < 0x7f)
				fputc(from[4 + byte], out);
			else
				fprintf(out, "\\x%02x", from[4 + byte]);
		fputc('\n', out);
		number(out, 'l', (int64_t)l);
		number(out, 'k', k);
		number(out, 'a', (int64_t)a);
		*sum += l;
	}
	fprintf(out, "0x%08" PRIx64 "  end mark\n", size);
	if (fclose(out))
		fail("the output cannot be written");
	return count;
}

int main(int argc, char **argv)
{
	struct timespec before, after;
	struct record *records = NULL;
	uint64_t count, sum = 0;

	if (argc < 3)
		fail("pkram FILE BASE PFN | kstate FILE");
	load(argv[2]);
	clock_gettime(CLOCK_MONOTONIC, &before);
	if (!strcmp(argv[1], "pkram") && argc == 5)
		count = pkram(strtoull(argv[3], NULL, 0), strtoull(argv[4], NULL, 0), &sum);
	else if (!strcmp(argv[1], "fields") && argc == 4)
		count = fields(argv[3], &sum);
	else
		count = kstate(&records);
	clock_gettime(CLOCK_MONOTONIC, &after);
	printf("%" PRId64 " %" PRIu64 " %" PRIu64 "\n",
	       (int64_t)(after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec,
	       count, sum);
	return 0;
}
