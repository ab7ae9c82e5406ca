/** Which reporters there are, apart from the code of them: help needs only their names. */
export const reporterNames = ['terminal', 'junit', 'json', 'lines'] as const;
export type ReporterName = (typeof reporterNames)[number];
