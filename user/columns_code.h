/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * columns_code.h - bytes as a prefix code made for them: for symbols that have
 * nothing in common but how frequent they are.
 *
 * A code has at most CODE_BITS bits and is canonical: shorter ones are
 * smaller, among equally long ones that of the smaller byte. Bits are packed
 * high ones first. What is coded is four lanes, each a quarter of the bytes
 * (rounded up, the last has what is left), so that four can be unpacked at the
 * same time:
 *
 *   how many bytes the first three lanes take: a byte each when no lane can be
 *   longer than 255, else two, low one first
 *   the first and the last byte that has a code; for each from the one to the
 *   other the length of its code, against that of the one before that has any
 *   (CODE_FIRST at the start): 0 the same, 100 one more, 101 one less,
 *   110 it has none, 111 and four bits: so many
 *   the lanes, each to a whole number of bytes
 *
 * Optimal lengths: Huffman 1952, computed as in Moffat and Katajainen,
 * "In-Place Calculation of Minimum-Redundancy Codes", 1995; shortened to
 * CODE_BITS as in ITU-T T.81 (JPEG), K.2.
 */
#ifndef WEIR_COLUMNS_CODE_H
#define WEIR_COLUMNS_CODE_H

#include "columns_chunk.h"

#define CODE_BITS  11
#define CODE_FIRST 5
#define CODE_MIN   32	      /* bytes; fewer are not coded */
#define CODE_MAX   (1U << 16) /* nor are more */

#define CODE_SLACK 512 /* bytes behind a result that may be touched */

/**
 * code_put - code bytes that are not all the same
 * @len: CODE_MIN..CODE_MAX
 * @to:  room for @len + CODE_SLACK bytes
 *
 * Return: bytes at @to; 0 when they would not be fewer than @len.
 */
size_t code_put(const uint8_t *data, size_t len, uint8_t *to);

/**
 * code_get - @len bytes again
 *
 * Any bytes may be there: nothing is read outside of @code, nothing written
 * outside of @to.
 * Return: 0; -EBADMSG.
 */
int code_get(const uint8_t *code, size_t code_len, uint8_t *to, size_t len);

#endif
