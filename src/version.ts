import manifest from '../package.json' with { type: 'json' };

/** The program's version, as package.json says it (Semantic Versioning 2.0.0). */
export const VERSION: string = manifest.version;
