/** The names of the reporters, apart from their code: help needs only the names. */
export const reporterNames = ['terminal', 'junit', 'json', 'lines', 'ktap'] as const;
export type ReporterName = (typeof reporterNames)[number];
