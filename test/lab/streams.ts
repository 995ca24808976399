/** Where the two ends of the streams are that the scenario `streams` tries, as vsock's ports. */
export const ports = { host: 9101, guest: 9100 } as const;

/** What each case may take. */
export const caseSecondsMax = 60;
