export declare const TOOL_NAMES: readonly string[];
export declare function toolDirectory(name: string): string;
export declare function buildTool(name: string): Promise<string>;
