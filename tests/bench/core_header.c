/*
 * The yardstick of `make bench` for ELF core headers: fills the header of CPUS possible CPUs and
 * RANGES ranges of memory, field by field, in a fresh buffer each round.
 *
 * core_header CPUS RANGES ROUNDS FILE
 *
 * Notes of CPU n lie at NOTES + n * 512; range n is RAM + n * 256 MiB and 128 MiB long. Prints the
 * nanoseconds of each round; FILE receives the header.
 */
#include <elf.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NOTES UINT64_C(0x40000000)
#define RAM UINT64_C(0x100000000)
#define TEXT UINT64_C(0x110000000)
#define DIRECT_MAP UINT64_C(0xff11000000000000)
#define TEXT_MAP UINT64_C(0xffffffff81000000)
#define ALIGN 4096

static uint64_t *notes, *starts, *ends;

static void fail(const char *why)
{
	fprintf(stderr, "core_header: %s\n", why);
	exit(1);
}

static Elf64_Phdr *put(Elf64_Phdr *to, int type, uint64_t start, uint64_t virtual, uint64_t bytes)
{
	to->p_type = type;
	to->p_flags = type == PT_LOAD ? PF_R | PF_W | PF_X : 0;
	to->p_offset = to->p_paddr = start;
	to->p_vaddr = virtual;
	to->p_filesz = to->p_memsz = bytes;
	to->p_align = 0;
	return to + 1;
}

static unsigned char *fill(size_t cpus, size_t ranges, size_t *size)
{
	size_t entries = cpus + 2 + ranges;
	Elf64_Ehdr *head;
	Elf64_Phdr *next;

	*size = sizeof(Elf64_Ehdr) + entries * sizeof(Elf64_Phdr);
	*size = (*size + ALIGN - 1) / ALIGN * ALIGN;
	head = calloc(1, *size);
	if (!head)
		fail("no memory");
	memcpy(head->e_ident, ELFMAG, SELFMAG);
	head->e_ident[EI_CLASS] = ELFCLASS64;
	head->e_ident[EI_DATA] = ELFDATA2LSB;
	head->e_ident[EI_VERSION] = EV_CURRENT;
	head->e_type = ET_CORE;
	head->e_machine = EM_X86_64;
	head->e_version = EV_CURRENT;
	head->e_phoff = head->e_ehsize = sizeof(Elf64_Ehdr);
	head->e_phentsize = sizeof(Elf64_Phdr);
	head->e_phnum = entries;
	next = (Elf64_Phdr *)(head + 1);
	for (size_t at = 0; at < cpus; at++)
		next = put(next, PT_NOTE, notes[at], 0, 368);
	next = put(next, PT_NOTE, NOTES - ALIGN, 0, 4132);
	next = put(next, PT_LOAD, TEXT, TEXT_MAP, 16 << 20);
	for (size_t at = 0; at < ranges; at++)
		next = put(next, PT_LOAD, starts[at], DIRECT_MAP + starts[at],
			   ends[at] - starts[at]);
	return (unsigned char *)head;
}

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

int main(int argc, char **argv)
{
	unsigned char *made = NULL;
	size_t size = 0;
	FILE *file;

	if (argc != 5)
		fail("CPUS RANGES ROUNDS FILE");
	size_t cpus = strtoull(argv[1], NULL, 0), ranges = strtoull(argv[2], NULL, 0);

	notes = calloc(cpus + 1, sizeof(*notes));
	starts = calloc(ranges + 1, sizeof(*starts));
	ends = calloc(ranges + 1, sizeof(*ends));
	if (!notes || !starts || !ends)
		fail("no memory");
	for (size_t at = 0; at < cpus; at++)
		notes[at] = NOTES + at * 512;
	for (size_t at = 0; at < ranges; at++) {
		starts[at] = RAM + (at << 28);
		ends[at] = starts[at] + (1 << 27);
	}
	for (int round = atoi(argv[3]); round > 0; round--) {
		free(made);
		int64_t before = now();

		made = fill(cpus, ranges, &size);
		printf("%" PRId64 "\n", now() - before);
	}
	file = fopen(argv[4], "wb");
	if (!file || fwrite(made, 1, size, file) != size || fclose(file))
		fail("the file cannot be written");
	return 0;
}
