import js from "@eslint/js";
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["dist", "node_modules"] },
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      // Numbers in texts are formatted where it matters.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      eqeqeq: "error",
    },
  },
  {
    files: ["src/**/*.tsx"],
    rules: {
      "no-restricted-syntax": [
        "error",
        { selector: "JSXText[value=/[A-Za-z\\u4e00-\\u9fff]/]", message: "Words belong into src/words." },
        {
          selector: "JSXAttribute[name.name=/^(title|alt|label|placeholder|aria-label)$/] > Literal[value=/[A-Za-z]/]",
          message: "Words belong into src/words.",
        },
        { selector: "JSXAttribute[name.name='style'] > Literal", message: "The policy forbids inline style." },
      ],
    },
  },
  { files: ["**/*.js"], extends: [tseslint.configs.disableTypeChecked] },
);
