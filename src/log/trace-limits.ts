/** What one trace takes: so many files, and so many bytes of each. */
export const traceLimits = { files: 64, file_bytes: 48 * 1024 * 1024 } as const
