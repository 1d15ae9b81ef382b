"""The graph of the study: data -> reference -> train -> sample -> score -> report.

snakemake --cores 2                                              the study of params.yaml
snakemake --cores 2 --configfile workflow/overlays/demo.yaml     with an overlay, under results/demo/
snakemake --cores 2 --config methods='[dcgan]'                   a part of it
"""


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/reference.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/sample.smk"
include: "workflow/rules/score.smk"
include: "workflow/rules/report.smk"


workflow.default_target = "report"
