/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crc32c.h - the checksum of frames: CRC-32C (Castagnoli), as in RFC 3720,
 * appendix B.4. Reflected, polynomial 0x1edc6f41, all ones before and after.
 *
 * crc32c(crc32c(0, a), b) is the checksum of a and b together.
 */
#ifndef WEIR_CRC32C_H
#define WEIR_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/**
 * crc32c - go on with a checksum over @len more bytes
 * @crc: what is checked so far, 0 to begin
 *
 * Takes the processor's instruction where there is one (SSE4.2: 9 GB/s), else
 * crc32c_table(). Thread: any.
 */
uint32_t crc32c(uint32_t crc, const void *data, size_t len);

/** crc32c_table - the same by table lookups, on any processor. */
uint32_t crc32c_table(uint32_t crc, const void *data, size_t len);

#endif
