/* Glob patterns (`*`, `?`, `[a-z]`, `**`), matched against paths as text. */
#ifndef MFS_PATTERN_H
#define MFS_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

/* False if a bracket is not closed or the last byte is a lone backslash. */
bool mfs_pattern_is_valid(const char *pattern);

/* True if a component has no special byte, so that it matches only itself. */
bool mfs_pattern_is_literal(const char *component, size_t length);

/* Matches a whole name against one component of a pattern. */
bool mfs_pattern_match_name(const char *pattern, size_t pattern_length, const char *name,
                            size_t name_length);

/*
 * Matches a whole path, its components against the pattern's; a component `**` stands for any
 * number of components, also none.
 */
bool mfs_pattern_match_path(const char *pattern, const char *path);

/* False if nothing below the directory `path` can match, so that a walk need not go there. */
bool mfs_pattern_leads_below(const char *pattern, const char *path);

#endif
